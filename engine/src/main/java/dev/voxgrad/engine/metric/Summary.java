package dev.voxgrad.engine.metric;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;

/**
 * Scores of a set of cases. A score that does not exist, such as the Dice of a label that is in neither label map, is NaN; a
 * distance to a surface that is not there is infinite. Both are left out of means.
 *
 * @param regions what was scored
 * @param columns names of the metrics beside {@link #COUNTS}, in order
 * @param cases in order of their names
 */
public record Summary(List<Region> regions, List<String> columns, List<CaseScore> cases) {
    /** Key of the calibration of all classes together. */
    public static final String ALL_CLASSES = "all";

    /** The numbers of every summary by name, in nnU-Net's order. */
    static final Map<String, ToDoubleFunction<Confusion>> COUNTS = counts();

    /** Copies the lists. */
    public Summary {
        regions = List.copyOf(regions);
        columns = List.copyOf(columns);
        cases = List.copyOf(cases);
    }

    private static Map<String, ToDoubleFunction<Confusion>> counts() {
        Map<String, ToDoubleFunction<Confusion>> counts = new LinkedHashMap<>();
        counts.put("Dice", Confusion::dice);
        counts.put("FN", Confusion::fn);
        counts.put("FP", Confusion::fp);
        counts.put("IoU", Confusion::iou);
        counts.put("TN", Confusion::tn);
        counts.put("TP", Confusion::tp);
        counts.put("n_pred", Confusion::predicted);
        counts.put("n_ref", Confusion::reference);
        return Collections.unmodifiableMap(counts);
    }

    /** Every column of the files: nnU-Net's numbers, then the others. */
    public List<String> allColumns() {
        return Stream.concat(COUNTS.keySet().stream(), columns.stream())
                .distinct()
                .toList();
    }

    /** A column of a region, one value per case in their order. */
    public double[] values(Region region, String column) {
        return cases.stream().mapToDouble(c -> c.value(region, column)).toArray();
    }

    /** A column of a region over the cases. */
    public Statistics statistics(Region region, String column) {
        return Statistics.of(values(region, column));
    }

    /** Mean of a column of a region over the cases that have a finite one; NaN if none has. */
    public double mean(Region region, String column) {
        return statistics(region, column).mean();
    }

    /**
     * What the foreground means are over: the labels. A region beside them would count its voxels twice; where nothing but regions
     * is scored, as in nnU-Net's region-based tasks, it is the regions.
     */
    public List<Region> averaged() {
        List<Region> labels = regions.stream().filter(Region::isLabel).toList();
        return labels.isEmpty() ? regions : labels;
    }

    /** Mean of the means of {@link #averaged()}; NaN if one of them is, as nnU-Net has it. */
    public double foregroundMean(String column) {
        return averaged().stream().mapToDouble(r -> mean(r, column)).average().orElse(Double.NaN);
    }

    /** Mean of the means of {@link #averaged()} without those that are NaN. */
    public double foregroundNanMean(String column) {
        return averaged().stream()
                .mapToDouble(r -> mean(r, column))
                .filter(Double::isFinite)
                .average()
                .orElse(Double.NaN);
    }

    /** Calibration over the voxels of all cases, by the key of a region and {@link #ALL_CLASSES}; empty without probabilities. */
    public Map<String, Calibration> calibration() {
        Map<String, Calibration> pooled = new LinkedHashMap<>();
        for (CaseScore c : cases) {
            c.calibration()
                    .forEach((key, calibration) -> pooled.computeIfAbsent(
                                    key,
                                    k -> new Calibration(calibration.topLabel().bins()))
                            .add(calibration));
        }
        return pooled;
    }
}
