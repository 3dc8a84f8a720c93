package dev.voxgrad.engine.metric;

import dev.voxgrad.engine.AtomicFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;
import tools.jackson.core.json.JsonWriteFeature;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * An evaluation as JSON: the keys of nnU-Net's {@code summary.json} ({@code foreground_mean}, {@code mean},
 * {@code metric_per_case}) with further metrics beside its own, and further keys beside those.
 */
public final class SummaryJson {
    private final Summary summary;
    private final boolean strict;
    private final Map<String, Object> root = new LinkedHashMap<>();

    /**
     * nnU-Net's keys.
     *
     * @param strict whether numbers that do not exist or are infinite are written as {@code null}, not as the bare tokens {@code NaN}
     *     and {@code Infinity}
     */
    public SummaryJson(Summary summary, boolean strict) {
        this.summary = summary;
        this.strict = strict;
        root.put("foreground_mean", numbers(summary::foregroundMean));
        root.put("foreground_nanmean", numbers(summary::foregroundNanMean));
        Map<String, Object> mean = new TreeMap<>();
        summary.regions().forEach(r -> mean.put(r.key(), numbers(column -> summary.mean(r, column))));
        root.put("mean", mean);
        root.put("metric_per_case", summary.cases().stream().map(this::perCase).toList());
    }

    private Map<String, Object> perCase(CaseScore c) {
        Map<String, Object> metrics = new TreeMap<>();
        summary.regions().forEach(r -> metrics.put(r.key(), numbers(column -> c.value(r, column))));
        Map<String, Object> entry = new LinkedHashMap<>();
        entry.put("metrics", metrics);
        entry.put("prediction_file", c.files().prediction().toString());
        entry.put("reference_file", c.files().reference().toString());
        return entry;
    }

    private Map<String, Object> numbers(ToDoubleFunction<String> value) {
        Map<String, Object> numbers = new LinkedHashMap<>();
        summary.allColumns().forEach(column -> numbers.put(column, number(value.applyAsDouble(column))));
        return numbers;
    }

    private Double number(double value) {
        return strict && !Double.isFinite(value) ? null : Double.valueOf(value);
    }

    /** Adds {@code statistics}: spread over the cases and interval of the mean, by region and column. */
    public SummaryJson withStatistics(List<String> columns, Bootstrap bootstrap) {
        Map<String, Object> byRegion = new LinkedHashMap<>();
        for (Region region : summary.regions()) {
            Map<String, Object> byColumn = new LinkedHashMap<>();
            for (String column : columns) {
                Statistics s = summary.statistics(region, column);
                Interval interval = bootstrap.ofMean(summary.values(region, column));
                Map<String, Object> entry = new LinkedHashMap<>();
                entry.put("n", s.used());
                entry.put("n_undefined", s.undefined());
                entry.put("n_infinite", s.infinite());
                entry.put("mean", number(s.mean()));
                entry.put("sd", number(s.sd()));
                entry.put("median", number(s.median()));
                entry.put("q1", number(s.lowerQuartile()));
                entry.put("q3", number(s.upperQuartile()));
                entry.put("ci", interval(interval));
                byColumn.put(column, entry);
            }
            byRegion.put(region.key(), byColumn);
        }
        root.put("statistics", byRegion);
        return this;
    }

    private List<Double> interval(Interval interval) {
        List<Double> ends = new ArrayList<>();
        ends.add(number(interval.low()));
        ends.add(number(interval.high()));
        return ends;
    }

    /** Adds {@code calibration} over all voxels, with the reliability curves; nothing without probabilities. */
    public SummaryJson withCalibration() {
        Map<String, Object> byRegion = new LinkedHashMap<>();
        summary.calibration().forEach((key, calibration) -> {
            Map<String, Object> entry = new LinkedHashMap<>();
            entry.put("voxels", calibration.voxels());
            entry.put("brier", number(calibration.brier()));
            entry.put("nll", number(calibration.nll()));
            if (calibration.foreground().voxels() > 0) {
                entry.put("foreground", curve(calibration.foreground()));
            }
            entry.put("top_label", curve(calibration.topLabel()));
            byRegion.put(key, entry);
        });
        if (!byRegion.isEmpty()) {
            root.put("calibration", byRegion);
        }
        return this;
    }

    private Map<String, Object> curve(Reliability curve) {
        List<Object> bins = new ArrayList<>();
        for (int i = 0; i < curve.bins(); i++) {
            Map<String, Object> bin = new LinkedHashMap<>();
            bin.put("upper", (i + 1.0) / curve.bins());
            bin.put("voxels", curve.count(i));
            bin.put("confidence", number(curve.confidenceSum(i) / curve.count(i)));
            bin.put("accuracy", number((double) curve.hits(i) / curve.count(i)));
            bins.add(bin);
        }
        Map<String, Object> entry = new LinkedHashMap<>();
        entry.put("ece", number(curve.ece()));
        entry.put("mce", number(curve.mce()));
        entry.put("bins", bins);
        return entry;
    }

    /** Adds {@code comparison} with another model's predictions. */
    public SummaryJson withComparison(Comparison comparison, Path other) {
        List<Object> rows = new ArrayList<>();
        for (Comparison.Row row : comparison.rows()) {
            Map<String, Object> entry = new LinkedHashMap<>();
            entry.put("label", row.region().key());
            entry.put("metric", row.column());
            entry.put("pairs", row.pairs());
            entry.put("left_out", row.leftOut());
            entry.put("mean", number(row.first()));
            entry.put("mean_other", number(row.second()));
            entry.put("difference", number(row.difference()));
            entry.put("better", row.better());
            entry.put("ci", interval(row.interval()));
            entry.put("p_wilcoxon", number(row.signedRank()));
            entry.put("p_sign_flip", number(row.signFlip()));
            entry.put("p_wilcoxon_holm", number(row.adjusted()));
            rows.add(entry);
        }
        Map<String, Object> entry = new LinkedHashMap<>();
        entry.put("other", other.toString());
        entry.put("unpaired", comparison.unpaired());
        entry.put("rows", rows);
        root.put("comparison", entry);
        return this;
    }

    /** Adds any other key, such as the settings. */
    public SummaryJson with(String key, Object value) {
        root.put(key, value);
        return this;
    }

    @Override
    public String toString() {
        return JsonMapper.builder()
                        .disable(JsonWriteFeature.WRITE_NAN_AS_STRINGS)
                        .enable(SerializationFeature.INDENT_OUTPUT)
                        .build()
                        .writeValueAsString(root)
                + "\n";
    }

    /** Writes the file, all or nothing. */
    public void write(Path file) {
        AtomicFile.write(file, toString().getBytes(StandardCharsets.UTF_8));
    }
}
