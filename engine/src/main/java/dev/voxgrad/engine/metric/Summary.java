package dev.voxgrad.engine.metric;

import dev.voxgrad.engine.AtomicFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.ToDoubleFunction;
import tools.jackson.core.json.JsonWriteFeature;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * Scores of a set of cases and their means, in the layout of nnU-Net's {@code summary.json}. A score that does not exist, such as the
 * Dice of a label that is in neither label map, is NaN.
 */
public record Summary(List<CaseScore> cases) {
    /** Names of the numbers of a label, in the order of the file. */
    private static final Map<String, ToDoubleFunction<Confusion>> METRICS = metrics();

    /** Counts of one case by label. */
    public record CaseScore(String predictionFile, String referenceFile, Map<Integer, Confusion> counts) {
        /** Copies the map. */
        public CaseScore {
            counts = Collections.unmodifiableMap(new TreeMap<>(counts));
        }
    }

    /** Copies the list. */
    public Summary {
        cases = List.copyOf(cases);
    }

    private static Map<String, ToDoubleFunction<Confusion>> metrics() {
        Map<String, ToDoubleFunction<Confusion>> metrics = new LinkedHashMap<>();
        metrics.put("Dice", Confusion::dice);
        metrics.put("FN", Confusion::fn);
        metrics.put("FP", Confusion::fp);
        metrics.put("IoU", Confusion::iou);
        metrics.put("TN", Confusion::tn);
        metrics.put("TP", Confusion::tp);
        metrics.put("n_pred", Confusion::predicted);
        metrics.put("n_ref", Confusion::reference);
        return metrics;
    }

    /** The labels that were scored, ascending. */
    public List<Integer> labels() {
        TreeSet<Integer> labels = new TreeSet<>();
        cases.forEach(c -> labels.addAll(c.counts().keySet()));
        return List.copyOf(labels);
    }

    /** Mean of a metric of a label over the cases that have one; NaN if none has. */
    public double mean(int label, String metric) {
        return PseudoDice.mean(cases.stream()
                .mapToDouble(c -> METRICS.get(metric).applyAsDouble(c.counts().get(label)))
                .toArray());
    }

    /** Mean of the labels' means; NaN if one of them is, as nnU-Net has it. */
    public double foregroundMean(String metric) {
        return labels().stream()
                .mapToDouble(label -> mean(label, metric))
                .average()
                .orElse(Double.NaN);
    }

    /** Mean of the labels' means without those that are NaN. */
    public double foregroundNanMean(String metric) {
        return PseudoDice.mean(
                labels().stream().mapToDouble(label -> mean(label, metric)).toArray());
    }

    /**
     * As JSON text with sorted keys.
     *
     * @param strict whether numbers that do not exist are written as {@code null}, not as the bare token {@code NaN} of nnU-Net
     */
    public String toJson(boolean strict) {
        Map<String, Object> root = new LinkedHashMap<>();
        root.put("foreground_mean", numbers(this::foregroundMean, strict));
        root.put("foreground_nanmean", numbers(this::foregroundNanMean, strict));
        Map<String, Object> mean = new TreeMap<>();
        labels().forEach(label -> mean.put(label.toString(), numbers(metric -> mean(label, metric), strict)));
        root.put("mean", mean);
        List<Object> perCase = new ArrayList<>();
        for (CaseScore c : cases) {
            Map<String, Object> metrics = new TreeMap<>();
            c.counts()
                    .forEach((label, counts) -> metrics.put(
                            label.toString(),
                            numbers(metric -> METRICS.get(metric).applyAsDouble(counts), strict)));
            Map<String, Object> entry = new LinkedHashMap<>();
            entry.put("metrics", metrics);
            entry.put("prediction_file", c.predictionFile());
            entry.put("reference_file", c.referenceFile());
            perCase.add(entry);
        }
        root.put("metric_per_case", perCase);
        return JsonMapper.builder()
                        .disable(JsonWriteFeature.WRITE_NAN_AS_STRINGS)
                        .enable(SerializationFeature.INDENT_OUTPUT)
                        .build()
                        .writeValueAsString(root)
                + "\n";
    }

    private static Map<String, Object> numbers(ToDoubleFunction<String> value, boolean strict) {
        Map<String, Object> numbers = new LinkedHashMap<>();
        for (String metric : METRICS.keySet()) {
            double number = value.applyAsDouble(metric);
            numbers.put(metric, strict && Double.isNaN(number) ? null : number);
        }
        return numbers;
    }

    /** Writes the JSON file, all or nothing. */
    public void write(Path file, boolean strict) {
        AtomicFile.write(file, toJson(strict).getBytes(StandardCharsets.UTF_8));
    }
}
