package dev.voxgrad.engine.metric;

import dev.voxgrad.engine.ConfigException;
import java.util.Arrays;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;

/** The metrics of one label in one case, by the names that reports use. */
public enum Metric {
    DICE("dice", "", Kind.OVERLAP, Better.HIGHER, c -> c.overlap().counts().dice()),
    IOU("iou", "", Kind.OVERLAP, Better.HIGHER, c -> c.overlap().counts().iou()),
    SENSITIVITY(
            "sensitivity",
            "",
            Kind.PLAIN,
            Better.HIGHER,
            c -> c.overlap().counts().sensitivity()),
    PRECISION(
            "precision",
            "",
            Kind.PRECISION,
            Better.HIGHER,
            c -> c.overlap().counts().precision()),
    SPECIFICITY(
            "specificity",
            "",
            Kind.PLAIN,
            Better.HIGHER,
            c -> c.overlap().counts().specificity()),
    RELATIVE_VOLUME_DIFFERENCE(
            "rvd",
            "",
            Kind.VOLUME_DIFFERENCE,
            Better.NEITHER,
            c -> c.overlap().counts().relativeVolumeDifference()),
    ABSOLUTE_RELATIVE_VOLUME_DIFFERENCE(
            "rvd_abs",
            "",
            Kind.VOLUME_DIFFERENCE,
            Better.LOWER,
            c -> Math.abs(c.overlap().counts().relativeVolumeDifference())),
    VOLUME_SIMILARITY(
            "volume_similarity",
            "",
            Kind.VOLUME_SIMILARITY,
            Better.HIGHER,
            c -> c.overlap().counts().volumeSimilarity()),
    VOLUME_DIFFERENCE(
            "volume_difference",
            "mm^3",
            Kind.PLAIN,
            Better.LOWER,
            c -> c.overlap().differenceMm3()),
    /** Hausdorff distance of surface voxels. */
    HD("hd", "mm", Kind.DISTANCE, Better.LOWER, c -> c.surfaces().hd()),
    /** The larger of the two directions' 95th percentiles. */
    HD95("hd95", "mm", Kind.DISTANCE, Better.LOWER, c -> c.surfaces().hd95()),
    HD95_POOLED(
            "hd95_pooled", "mm", Kind.DISTANCE, Better.LOWER, c -> c.surfaces().hd95Pooled()),
    ASSD("assd", "mm", Kind.DISTANCE, Better.LOWER, c -> c.surfaces().assd()),
    ASSD_MEAN_OF_MEANS(
            "assd_mean_of_means",
            "mm",
            Kind.DISTANCE,
            Better.LOWER,
            c -> c.surfaces().assdMeanOfMeans()),
    /** Share of surface voxels within the tolerance. */
    VOXEL_NSD("nsd_voxel", "", Kind.OVERLAP, Better.HIGHER, c -> c.surfaces().nsd(c.toleranceMm())),
    /** Normalised surface Dice: share of surface area within the tolerance. */
    SURFACE_DICE(
            "surface_dice", "", Kind.OVERLAP, Better.HIGHER, c -> c.surfels().nsd(c.toleranceMm())),
    ROBUST_HD95(
            "hd95_surfel", "mm", Kind.DISTANCE, Better.LOWER, c -> c.surfels().hd(95)),
    SURFEL_ASSD(
            "assd_surfel", "mm", Kind.DISTANCE, Better.LOWER, c -> c.surfels().assd()),
    LESION_RECALL(
            "lesion_recall",
            "",
            Kind.LESION_RECALL,
            Better.HIGHER,
            c -> c.lesions().recall()),
    LESION_PRECISION(
            "lesion_precision",
            "",
            Kind.LESION_PRECISION,
            Better.HIGHER,
            c -> c.lesions().precision()),
    LESION_F1("lesion_f1", "", Kind.LESION_F1, Better.HIGHER, c -> c.lesions().f1()),
    LESION_FALSE_POSITIVES(
            "lesion_false_positives",
            "",
            Kind.PLAIN,
            Better.LOWER,
            c -> c.lesions().falsePositives()),
    LESION_FALSE_NEGATIVES(
            "lesion_false_negatives",
            "",
            Kind.PLAIN,
            Better.LOWER,
            c -> c.lesions().falseNegatives()),
    LESION_COUNT_DIFFERENCE(
            "lesion_count_difference",
            "",
            Kind.PLAIN,
            Better.LOWER,
            c -> c.lesions().countDifference()),
    /** F1 of one-to-one matches by IoU. */
    LESION_MATCH_F1(
            "lesion_match_f1",
            "",
            Kind.LESION_F1,
            Better.HIGHER,
            c -> c.lesions().matching().f1()),
    /** Mean IoU of one-to-one matches. */
    LESION_MATCH_IOU(
            "lesion_match_iou",
            "",
            Kind.PLAIN,
            Better.HIGHER,
            c -> c.lesions().matching().meanIou());

    /** Metrics that share a rule for empty masks. */
    enum Kind {
        OVERLAP,
        DISTANCE,
        VOLUME_DIFFERENCE,
        VOLUME_SIMILARITY,
        PRECISION,
        LESION_RECALL,
        LESION_PRECISION,
        LESION_F1,
        /** The formula's value, whatever is empty. */
        PLAIN
    }

    private final String id;
    private final String unit;
    private final Kind kind;
    private final Better better;
    private final ToDoubleFunction<CaseMetrics> formula;

    Metric(String id, String unit, Kind kind, Better better, ToDoubleFunction<CaseMetrics> formula) {
        this.id = id;
        this.unit = unit;
        this.kind = kind;
        this.better = better;
        this.formula = formula;
    }

    /**
     * The metric of a name.
     *
     * @throws ConfigException listing the names there are
     */
    public static Metric of(String id) {
        return Arrays.stream(values())
                .filter(m -> m.id.equals(id))
                .findFirst()
                .orElseThrow(() -> new ConfigException("unknown metric \"" + id + "\"; there are "
                        + Arrays.stream(values()).map(Metric::id).collect(Collectors.joining(", "))));
    }

    /** The name in reports and options. */
    public String id() {
        return id;
    }

    /** {@code mm}, {@code mm^3}, or empty for ratios and counts. */
    public String unit() {
        return unit;
    }

    /** Which values speak for the better segmentation. */
    public Better better() {
        return better;
    }

    /** Whether it is about lesions, so that empty means without a lesion. */
    boolean aboutLesions() {
        return ordinal() >= LESION_RECALL.ordinal();
    }

    Kind kind() {
        return kind;
    }

    double raw(CaseMetrics metrics) {
        return formula.applyAsDouble(metrics);
    }
}
