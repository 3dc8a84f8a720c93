package dev.voxgrad.engine.metric;

/**
 * Voxel counts of one label or region: true and false positives and negatives.
 *
 * <p>Dice = 2 TP / (2 TP + FP + FN), IoU = TP / (TP + FP + FN); both are NaN when neither prediction nor reference has the label.
 */
public record Confusion(long tp, long fp, long fn, long tn) {
    /** No voxels. */
    public static final Confusion ZERO = new Confusion(0, 0, 0, 0);

    /** Voxel counts of two sets of voxels together. */
    public Confusion plus(Confusion other) {
        return new Confusion(tp + other.tp, fp + other.fp, fn + other.fn, tn + other.tn);
    }

    /** 2 TP / (2 TP + FP + FN), NaN if there is nothing to find and nothing found. */
    public double dice() {
        return 2.0 * tp / (2.0 * tp + fp + fn);
    }

    /** TP / (TP + FP + FN), NaN if there is nothing to find and nothing found. */
    public double iou() {
        return (double) tp / (tp + fp + fn);
    }

    /** Recall, TP / (TP + FN); NaN without reference. */
    public double sensitivity() {
        return (double) tp / (tp + fn);
    }

    /** TP / (TP + FP); NaN without prediction. */
    public double precision() {
        return (double) tp / (tp + fp);
    }

    /** TN / (TN + FP); NaN without background. */
    public double specificity() {
        return (double) tn / (tn + fp);
    }

    /** (predicted - reference) / reference, negative when too little was predicted; NaN without reference. */
    public double relativeVolumeDifference() {
        return reference() == 0 ? Double.NaN : (double) (predicted() - reference()) / reference();
    }

    /** 1 - |predicted - reference| / (predicted + reference); NaN without both. */
    public double volumeSimilarity() {
        return 1 - (double) Math.abs(predicted() - reference()) / (predicted() + reference());
    }

    /** Voxels predicted. */
    public long predicted() {
        return tp + fp;
    }

    /** Voxels in the reference. */
    public long reference() {
        return tp + fn;
    }
}
