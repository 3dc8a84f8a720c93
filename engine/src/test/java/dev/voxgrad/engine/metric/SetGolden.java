package dev.voxgrad.engine.metric;

import dev.voxgrad.engine.image.Geometry;
import dev.voxgrad.engine.image.Grid;
import dev.voxgrad.engine.image.LabelVolume;
import dev.voxgrad.golden.Golden;
import dev.voxgrad.golden.GoldenCase;
import dev.voxgrad.golden.GoldenTensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;
import tools.jackson.core.json.JsonReadFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Handlers of the golden operations on sets of voxels and cases. */
final class SetGolden {
    private SetGolden() {}

    static Map<String, Golden.Handler> handlers() {
        return Map.of("calibration", SetGolden::calibration, "dataset_dice", SetGolden::datasetDice);
    }

    private static void calibration(GoldenCase golden) {
        double[] probability = golden.tensor("in/probability").values();
        int[] reference = golden.tensor("in/reference").ints();
        int bins = golden.params().path("bins").asInt();
        Calibration calibration = new Calibration(bins);
        for (int i = 0; i < probability.length; i++) {
            calibration.add(probability[i], reference[i] != 0);
        }
        Reliability foreground = calibration.foreground();
        golden.check("out/bin_count", perBin(bins, foreground::count));
        golden.check("out/bin_confidence_sum", perBin(bins, foreground::confidenceSum));
        golden.check("out/bin_positive_sum", perBin(bins, foreground::hits));
        golden.check("out/top_bin_count", perBin(bins, calibration.topLabel()::count));
        golden.checkScalar("foreground_ece", foreground.ece());
        golden.checkScalar("foreground_mce", foreground.mce());
        golden.checkScalar("top_label_ece", calibration.topLabel().ece());
        golden.checkScalar("top_label_mce", calibration.topLabel().mce());
        golden.checkScalar("brier", calibration.brier());
        golden.checkScalar("nll", calibration.nll());
    }

    private static double[] perBin(int bins, IntToDoubleFunction value) {
        return IntStream.range(0, bins).mapToDouble(value).toArray();
    }

    private static void datasetDice(GoldenCase golden) {
        int classes = golden.params().path("classes").asInt();
        int ignore = golden.params().path("ignore_label").asInt();
        List<Region> regions = IntStream.range(1, classes)
                .mapToObj(c -> Region.ofLabel(c, "class " + c))
                .toList();
        GoldenTensor reference = golden.tensor("in/reference");
        GoldenTensor prediction = golden.tensor("in/prediction");
        int cases = reference.shape()[0];
        int voxels = reference.values().length / cases;
        List<short[]> predictions = new ArrayList<>();
        List<short[]> references = new ArrayList<>();
        PseudoDice pseudo = new PseudoDice(classes, ignore);
        for (int i = 0; i < cases; i++) {
            predictions.add(labels(prediction, i * voxels, voxels));
            references.add(labels(reference, i * voxels, voxels));
            pseudo.add(bytes(predictions.getLast()), bytes(references.getLast()));
        }
        Summary summary = summary(regions, ignore, predictions, references);
        golden.check("out/dice", byCase(summary, "Dice"));
        golden.check("out/iou", byCase(summary, "IoU"));
        for (Region region : regions) {
            golden.checkScalar("mean_dice." + region.key(), summary.mean(region, "Dice"));
        }
        golden.checkScalar("foreground_mean_dice", summary.foregroundMean("Dice"));
        golden.checkScalar("pseudo_dice_mean", pseudo.mean());
    }

    /** [case][region]. */
    private static double[] byCase(Summary summary, String column) {
        return summary.cases().stream()
                .flatMapToDouble(c -> summary.regions().stream().mapToDouble(r -> c.value(r, column)))
                .toArray();
    }

    /** A summary of label maps in memory. */
    static Summary summary(List<Region> regions, int ignore, List<short[]> predictions, List<short[]> references) {
        List<CaseScore> scores = new ArrayList<>();
        for (int i = 0; i < references.size(); i++) {
            Map<String, Confusion> counts = new LinkedHashMap<>();
            for (Region region : regions) {
                MaskPair pair = MaskPair.of(
                        volume(references.get(i)), volume(predictions.get(i)), Set.copyOf(region.labels()), ignore);
                counts.put(region.key(), pair.counts());
            }
            CaseFiles files = new CaseFiles("c" + i, Path.of("p" + i), Path.of("r" + i), Optional.empty());
            scores.add(new CaseScore(files, counts, Map.of(), Map.of(), List.of()));
        }
        return new Summary(regions, List.of("Dice", "IoU"), scores);
    }

    /** A volume of one row: counts do not depend on the shape. */
    private static LabelVolume volume(short[] labels) {
        return new LabelVolume(labels, new Grid(1, 1, labels.length), Geometry.ofSpacing(1, 1, 1));
    }

    /** The summaries of nnU-Net: labels, regions, ignore. */
    static void summary(GoldenCase golden) {
        List<Region> regions = new ArrayList<>();
        for (JsonNode label : golden.params().path("labels_or_regions").values()) {
            regions.add(
                    label.isArray()
                            ? Region.ofLabels(
                                    "region",
                                    label.values().stream().map(JsonNode::asInt).toList())
                            : Region.ofLabel(label.asInt(), "label"));
        }
        int ignore = golden.params().path("ignore_label").asInt(-1);
        List<short[]> predictions = new ArrayList<>();
        List<short[]> references = new ArrayList<>();
        for (int i = 0; i < golden.params().path("cases").size(); i++) {
            GoldenTensor reference = golden.tensor("inputs/ref" + i);
            GoldenTensor prediction = golden.tensor("inputs/pred" + i);
            references.add(labels(reference, 0, reference.values().length));
            predictions.add(labels(prediction, 0, prediction.values().length));
        }
        Summary summary = summary(regions, ignore, predictions, references);
        JsonNode expected = golden.expect().path("summary");
        JsonNode actual = JsonMapper.builder()
                .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
                .build()
                .readTree(new SummaryJson(summary, false).toString());
        compare(golden, "foreground_mean", expected.path("foreground_mean"), actual.path("foreground_mean"));
        compare(golden, "mean", expected.path("mean"), actual.path("mean"));
        compare(golden, "metric_per_case", expected.path("metric_per_case"), actual.path("metric_per_case"));
    }

    /** Everything expected is there with its value. */
    private static void compare(GoldenCase golden, String key, JsonNode expected, JsonNode actual) {
        if (expected.isObject()) {
            expected.propertyNames()
                    .forEach(name -> compare(golden, key + "." + name, expected.path(name), actual.path(name)));
        } else if (expected.isArray()) {
            for (int i = 0; i < expected.size(); i++) {
                compare(golden, key + "." + i, expected.path(i), actual.path(i));
            }
        } else if (!actual.isNumber()) {
            golden.fail(key, "is " + actual + " in the summary");
        } else {
            golden.checkNumber(key, golden.number(expected, key), actual.asDouble(), golden.tolerance("scalars"));
        }
    }

    private static short[] labels(GoldenTensor tensor, int first, int count) {
        short[] labels = new short[count];
        for (int i = 0; i < count; i++) {
            labels[i] = (short) tensor.values()[first + i];
        }
        return labels;
    }

    private static byte[] bytes(short[] labels) {
        byte[] bytes = new byte[labels.length];
        for (int i = 0; i < labels.length; i++) {
            bytes[i] = (byte) labels[i];
        }
        return bytes;
    }
}
