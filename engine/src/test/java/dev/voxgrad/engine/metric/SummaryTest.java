package dev.voxgrad.engine.metric;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.plan.LabelNames;
import dev.voxgrad.engine.plan.Plans;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class SummaryTest {
    private static final LabelNames NAMES = new LabelNames(Plans.labels("a", "b"));
    private static final Region A = Region.ofLabel(1, "a");
    private static final Region B = Region.ofLabel(2, "b");
    private static final Bootstrap BOOTSTRAP = Bootstrap.standard(1);

    /** A summary with one further column, whose values these are. */
    private static Summary of(double[] a, double[] b) {
        List<CaseScore> cases = new ArrayList<>();
        for (int i = 0; i < a.length; i++) {
            cases.add(score(i, a[i], b[i]));
        }
        return new Summary(List.of(A, B), List.of("X"), cases);
    }

    private static CaseScore score(int index, double a, double b) {
        CaseFiles files = new CaseFiles("c," + index, Path.of("p" + index), Path.of("r" + index), Optional.empty());
        Map<String, Map<String, Double>> values = new HashMap<>();
        values.put("1", Map.of("X", a));
        values.put("2", Map.of("X", b));
        Map<String, Confusion> counts = Map.of("1", new Confusion(1, 1, 0, 0), "2", Confusion.ZERO);
        return new CaseScore(files, counts, values, Map.of(), List.of());
    }

    private static JsonNode parse(SummaryJson json) {
        return JsonMapper.shared().readTree(json.toString());
    }

    @Test
    void meansLeaveOutWhatDoesNotExist() {
        Summary summary = of(new double[] {1, Double.NaN, Double.POSITIVE_INFINITY, 3}, new double[] {5, 5, 5, 5});
        assertThat(summary.mean(A, "X")).isEqualTo(2);
        assertThat(summary.mean(A, "Dice")).isCloseTo(2.0 / 3, within(1e-12));
        assertThat(summary.mean(B, "Dice")).isNaN();
        assertThat(summary.foregroundMean("Dice")).isNaN();
        assertThat(summary.foregroundNanMean("Dice")).isCloseTo(2.0 / 3, within(1e-12));
        assertThat(summary.foregroundMean("X")).isEqualTo(3.5);
        assertThatThrownBy(() -> summary.mean(A, "Y")).hasMessageContainingAll("Y", "c,0");
    }

    @Test
    void jsonHasTheKeysOfNnunet() {
        Summary summary = of(new double[] {1, Double.POSITIVE_INFINITY}, new double[] {5, Double.NaN});
        String loose = new SummaryJson(summary, false).toString();
        assertThat(loose).contains("\"Dice\" : NaN", "\"X\" : Infinity");
        JsonNode root = parse(new SummaryJson(summary, true));
        assertThat(root.propertyNames())
                .containsExactly("foreground_mean", "foreground_nanmean", "mean", "metric_per_case");
        assertThat(root.path("mean").path("1").propertyNames())
                .containsExactly("Dice", "FN", "FP", "IoU", "TN", "TP", "n_pred", "n_ref", "X");
        JsonNode first = root.path("metric_per_case").path(0);
        assertThat(first.propertyNames()).containsExactly("metrics", "prediction_file", "reference_file");
        assertThat(first.path("metrics").path("2").path("Dice").isNull()).isTrue();
        assertThat(root.path("metric_per_case")
                        .path(1)
                        .path("metrics")
                        .path("1")
                        .path("X")
                        .isNull())
                .isTrue();
    }

    @Test
    void regionsBesideTheLabelsDoNotMoveTheMean() {
        Summary labels = of(new double[] {0.1, 0.7}, new double[] {0.2, 0.35});
        Region whole = Region.ofLabels("whole", List.of(1, 2));
        List<CaseScore> cases = new ArrayList<>();
        for (CaseScore c : labels.cases()) {
            Map<String, Confusion> counts = new HashMap<>(c.counts());
            counts.put(whole.key(), new Confusion(5, 0, 0, 0));
            Map<String, Map<String, Double>> values = new HashMap<>(c.values());
            values.put(whole.key(), Map.of("X", 0.95));
            cases.add(new CaseScore(c.files(), counts, values, Map.of(), List.of()));
        }
        Summary with = new Summary(List.of(A, B, whole), List.of("X"), cases);
        assertThat(with.mean(whole, "X")).isEqualTo(0.95);
        assertThat(with.foregroundMean("X")).isEqualTo(labels.foregroundMean("X"));
        assertThat(with.foregroundMean("Dice")).isNaN();
        assertThat(with.foregroundNanMean("Dice")).isEqualTo(labels.foregroundNanMean("Dice"));
        assertThat(new Summary(List.of(whole), List.of("X"), cases).foregroundMean("X"))
                .isEqualTo(0.95);
    }

    @Test
    void jsonHasStatistics() {
        Summary summary = of(new double[] {1, 2, 6}, new double[] {5, Double.NaN, Double.POSITIVE_INFINITY});
        JsonNode root = parse(new SummaryJson(summary, true).withStatistics(List.of("X"), BOOTSTRAP));
        JsonNode a = root.path("statistics").path("1").path("X");
        assertThat(a.path("n").asInt()).isEqualTo(3);
        assertThat(a.path("mean").asDouble()).isEqualTo(3);
        assertThat(a.path("median").asDouble()).isEqualTo(2);
        assertThat(a.path("q3").asDouble()).isEqualTo(4);
        assertThat(a.path("ci").path(0).asDouble()).isBetween(1.0, 3.0);
        JsonNode b = root.path("statistics").path("2").path("X");
        assertThat(b.path("n_undefined").asInt()).isEqualTo(1);
        assertThat(b.path("n_infinite").asInt()).isEqualTo(1);
        assertThat(b.path("sd").isNull()).isTrue();
        assertThat(b.path("ci").path(0).isNull()).isTrue();
    }

    @Test
    void csvHasOneLinePerCaseAndRegion() {
        String text = ScoreCsv.text(of(new double[] {0.25, Double.NaN}, new double[] {Double.POSITIVE_INFINITY, 3}));
        assertThat(text.split("\r\n"))
                .containsExactly(
                        "case,label,name,Dice,FN,FP,IoU,TN,TP,n_pred,n_ref,X",
                        "\"c,0\",1,a,0.6666666666666666,0,1,0.5,0,1,2,1,0.25",
                        "\"c,0\",2,b,nan,0,0,nan,0,0,0,0,inf",
                        "\"c,1\",1,a,0.6666666666666666,0,1,0.5,0,1,2,1,nan",
                        "\"c,1\",2,b,nan,0,0,nan,0,0,0,0,3");
    }

    @Test
    void comparisonPairsCasesByName() {
        Summary first = of(new double[] {1, 2, 3, 4, 5, 6}, new double[] {1, 1, Double.NaN, 1, 1, 1});
        List<CaseScore> others = new ArrayList<>();
        for (int i = 6; i >= 1; i--) { // case 0 is missing, case 6 is new, the order differs
            others.add(score(i, i, 1));
        }
        Comparison comparison = Comparison.of(
                first, new Summary(List.of(A, B), List.of("X"), others), columns(Better.LOWER), BOOTSTRAP);
        assertThat(comparison.unpaired()).containsExactly("c,0", "c,6");
        Comparison.Row a = comparison.rows().get(0);
        assertThat(a.pairs()).isEqualTo(5);
        assertThat(a.first()).isEqualTo(4);
        assertThat(a.second()).isEqualTo(3);
        assertThat(a.difference()).isEqualTo(1);
        assertThat(a.interval()).isEqualTo(new Interval(1, 1));
        assertThat(a.signedRank()).isEqualTo(2.0 / 32);
        assertThat(a.signFlip()).isEqualTo(2.0 / 32);
        assertThat(a.adjusted()).isEqualTo(4.0 / 32);
        Comparison.Row b = comparison.rows().get(1);
        assertThat(b.pairs()).isEqualTo(4);
        assertThat(b.leftOut()).isEqualTo(1);
        assertThat(b.difference()).isZero();
        assertThat(b.adjusted()).isEqualTo(1);
        JsonNode row = parse(new SummaryJson(first, true).withComparison(comparison, Path.of("other")))
                .path("comparison")
                .path("rows")
                .path(0);
        assertThat(row.path("p_wilcoxon_holm").asDouble()).isEqualTo(0.125);
        assertThat(row.path("better").asString()).isEqualTo("other");
    }

    private static SequencedMap<String, Better> columns(Better direction) {
        return new LinkedHashMap<>(Map.of("X", direction));
    }

    @Test
    void betterModelDependsOnTheMetric() {
        Summary low = of(new double[] {0.1, 0.2, 0.3}, new double[] {0.1 + 0.2, 1, 2});
        Summary high = of(new double[] {0.3, 0.2, 0.4}, new double[] {0.3, 1, 2}); // b differs by rounding alone
        for (Better direction : Better.values()) {
            String better = direction == Better.HIGHER ? "first" : direction == Better.LOWER ? "other" : "-";
            assertThat(Comparison.of(high, low, columns(direction), BOOTSTRAP).rows())
                    .extracting(Comparison.Row::better)
                    .containsExactly(better, "-");
            assertThat(Comparison.of(low, high, columns(direction), BOOTSTRAP)
                            .rows()
                            .getFirst()
                            .better())
                    .isEqualTo(direction == Better.HIGHER ? "other" : direction == Better.LOWER ? "first" : "-");
        }
        assertThat(Metric.RELATIVE_VOLUME_DIFFERENCE.better()).isEqualTo(Better.NEITHER);
        assertThat(Metric.ABSOLUTE_RELATIVE_VOLUME_DIFFERENCE.better()).isEqualTo(Better.LOWER);
    }

    @Test
    void comparisonGoesMetricByMetric() {
        Summary summary = of(new double[] {1, 2}, new double[] {3, 4});
        SequencedMap<String, Better> columns = new LinkedHashMap<>();
        columns.put("X", Better.HIGHER);
        columns.put("FP", Better.LOWER);
        assertThat(Comparison.of(summary, summary, columns, BOOTSTRAP).rows())
                .extracting(r -> r.column() + " " + r.region().name())
                .containsExactly("X a", "X b", "FP a", "FP b");
    }

    @Test
    void regionsAreNamedAsNnunetNamesThem() {
        assertThat(Region.parse("whole=2,1", NAMES)).isEqualTo(new Region("(1, 2)", "whole", List.of(1, 2)));
        assertThat(Region.parse("core = b", NAMES)).isEqualTo(new Region("(2,)", "core", List.of(2)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"whole", "=1", "whole=", "whole=1,c", "whole=0", "whole=1,,2"})
    void wrongRegionIsRefused(String text) {
        assertThatThrownBy(() -> Region.parse(text, NAMES))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining('"' + text + '"');
    }

    @Test
    void metricsAreReadByNameAndGroup() {
        assertThat(MetricSelection.parse("iou, Dice", false)).isEqualTo(MetricSelection.of(Metric.DICE, Metric.IOU));
        assertThat(MetricSelection.parse("surface,nll", true).ofMasks())
                .contains(Metric.HD95, Metric.SURFACE_DICE)
                .doesNotContain(Metric.DICE);
        assertThat(MetricSelection.parse("surface,nll", true).ofProbabilities()).containsExactly(CalibrationMetric.NLL);
        assertThat(MetricSelection.parse("all", false)).isEqualTo(MetricSelection.of(Metric.values()));
        assertThat(MetricSelection.parse("all", true).ofProbabilities()).containsExactly(CalibrationMetric.values());
        assertThatThrownBy(() -> MetricSelection.parse("dice,dise", false))
                .isInstanceOf(ConfigException.class)
                .hasMessageContainingAll("\"dise\"", "hd95", "nll", "calibration");
    }

    @Test
    void everyMetricIsInAGroup() {
        assertThat(MetricSelection.parse("overlap,volume,surface,lesion,calibration", true))
                .isEqualTo(MetricSelection.parse("all", true));
    }

    @Test
    void tolerancesByRegion() {
        Tolerances tolerances = Tolerances.parse("2, b=0.5", List.of(A, B));
        assertThat(tolerances.of(A)).isEqualTo(2);
        assertThat(tolerances.of(B)).isEqualTo(0.5);
        assertThat(Tolerances.parse("b=0.5", List.of(A, B)).of(A)).isEqualTo(1);
        for (String wrong : List.of("c=1", "b=x", "-1", "", "1,2", "b=1,b=2")) {
            assertThatThrownBy(() -> Tolerances.parse(wrong, List.of(A, B))).isInstanceOf(ConfigException.class);
        }
    }
}
