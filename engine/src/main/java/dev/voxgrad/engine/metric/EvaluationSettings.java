package dev.voxgrad.engine.metric;

import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.plan.LabelNames;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SequencedMap;
import java.util.function.Function;

/**
 * What is scored, and how.
 *
 * @param names labels of the task
 * @param regions what is scored
 * @param metrics beside nnU-Net's counts
 * @param options how surfaces and lesions are found, and what empty masks are worth; its tolerance is not used
 * @param tolerances of surface Dice
 * @param calibrationBins bins of reliability curves
 * @param calibrationArea voxels that calibration looks at
 */
public record EvaluationSettings(
        LabelNames names,
        List<Region> regions,
        MetricSelection metrics,
        CaseMetrics.Options options,
        Tolerances tolerances,
        int calibrationBins,
        CalibrationArea calibrationArea) {
    /** Dice and IoU of each foreground label or region. */
    public static EvaluationSettings standard(LabelNames names) {
        return new EvaluationSettings(
                names,
                Region.foreground(names),
                MetricSelection.of(Metric.DICE, Metric.IOU),
                CaseMetrics.Options.DEFAULT,
                Tolerances.DEFAULT,
                Calibration.DEFAULT_BINS,
                new CalibrationArea.Everywhere());
    }

    /** More bins than this are finer than what half precision tells apart near 1, and mean a mistake. */
    private static final int MOST_BINS = 1000;

    /**
     * Copies the list.
     *
     * @throws ConfigException when two regions have one name or the same labels, when there are size bins but no metrics of lesions,
     *     when calibration is asked for a union of labels of a task with regions, and for a number of calibration bins that is not 1 to 1000
     */
    public EvaluationSettings {
        regions = List.copyOf(regions);
        for (Function<Region, String> property : List.<Function<Region, String>>of(Region::name, Region::key)) {
            List<String> found = regions.stream().map(property).sorted().toList();
            for (int i = 1; i < found.size(); i++) {
                if (found.get(i).equals(found.get(i - 1))) {
                    throw new ConfigException(
                            "regions: there are two \"" + found.get(i) + "\"; give each its own name" + " and labels");
                }
            }
        }
        requireProbabilities(names, regions, metrics);
        if (calibrationBins < 1 || calibrationBins > MOST_BINS) {
            throw new ConfigException(
                    "calibration: " + calibrationBins + " bins; the number must be from 1 to " + MOST_BINS);
        }
        if (!metrics.hasLesions() && !options.lesions().sizeEdgesMm3().isEmpty()) {
            throw new ConfigException("lesions: size bins " + options.lesions().sizeEdgesMm3()
                    + " without a metric of lesions; ask for one, such as lesion_recall");
        }
    }

    /** The probabilities of regions that overlap say nothing about unions of their labels. */
    private static void requireProbabilities(LabelNames names, List<Region> regions, MetricSelection metrics) {
        if (metrics.ofProbabilities().isEmpty() || !names.hasRegions()) {
            return;
        }
        List<Region> known = Region.foreground(names);
        for (Region region : regions) {
            if (!known.contains(region)) {
                throw new ConfigException("calibration: the region \"" + region.name()
                        + "\" has no probabilities of its own; those of the data set are "
                        + known.stream().map(Region::name).toList());
            }
        }
    }

    /** Whether the probabilities of the predictions are needed. */
    public boolean needsProbabilities() {
        return !metrics.ofProbabilities().isEmpty();
    }

    /** The value to ignore in references; -1 = none. */
    int ignore() {
        return names.ignore().orElse(-1);
    }

    /** How one region is measured. */
    CaseMetrics.Options optionsOf(Region region) {
        return options.withTolerance(tolerances.of(region));
    }

    /** Names of the metrics, in their order; recall and false positives by size follow the other lesion metrics. */
    public List<String> columns() {
        return List.copyOf(directions().keySet());
    }

    /** Which values are better, by the names of the metrics in their order. */
    public SequencedMap<String, Better> directions() {
        SequencedMap<String, Better> directions = new LinkedHashMap<>();
        metrics.ofMasks().forEach(m -> directions.put(MetricSelection.column(m), m.better()));
        if (bySize()) {
            for (int bin = 0; bin <= options.lesions().sizeEdgesMm3().size(); bin++) {
                directions.put(recallColumn(bin), Better.HIGHER);
                directions.put(falsePositivesColumn(bin), Better.LOWER);
            }
        }
        metrics.ofProbabilities().forEach(m -> directions.put(m.id(), Better.LOWER));
        return directions;
    }

    /** Whether lesions are told apart by their size. */
    boolean bySize() {
        return !options.lesions().sizeEdgesMm3().isEmpty();
    }

    /** Name of the recall of a size bin. */
    String recallColumn(int bin) {
        return "lesion_recall_" + range(bin);
    }

    /** Name of the false positives of a size bin. */
    String falsePositivesColumn(int bin) {
        return "lesion_false_positives_" + range(bin);
    }

    private String range(int bin) {
        List<Double> edges = options.lesions().sizeEdgesMm3();
        String from = bin == 0 ? "0" : edge(edges.get(bin - 1));
        return from + "_" + (bin == edges.size() ? "inf" : edge(edges.get(bin))) + "_mm3";
    }

    private static String edge(double mm3) {
        return mm3 == Math.rint(mm3) ? String.format(Locale.ROOT, "%.0f", mm3) : Double.toString(mm3);
    }

    /** As it is recorded in a summary. */
    public Map<String, Object> toJson() {
        Map<String, Object> json = new LinkedHashMap<>();
        Map<String, String> named = new LinkedHashMap<>();
        regions.forEach(r -> named.put(r.key(), r.name()));
        json.put("labels", named);
        json.put("metrics", columns());
        json.put("empty_cases", options.emptyCases().name().toLowerCase(Locale.ROOT));
        json.put("surface", options.surface().name().toLowerCase(Locale.ROOT));
        Map<String, Double> toleranceMm = new LinkedHashMap<>();
        regions.forEach(r -> toleranceMm.put(r.key(), tolerances.of(r)));
        json.put("tolerance_mm", toleranceMm);
        json.put("lesions", lesions());
        if (needsProbabilities()) {
            json.put("calibration_bins", calibrationBins);
            json.put("calibration_area", calibrationArea.toString());
        }
        return json;
    }

    private Map<String, Object> lesions() {
        LesionOptions lesions = options.lesions();
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("connectivity", lesions.connectivity());
        json.put("min_overlap_fraction", lesions.minOverlapFraction());
        json.put("iou_threshold", lesions.iouThreshold());
        json.put("min_size_mm3", lesions.minSizeMm3());
        json.put("size_edges_mm3", lesions.sizeEdgesMm3());
        return json;
    }
}
