package dev.voxgrad.engine.metric;

/** What a metric is worth in a case where the reference, the prediction or both are empty. */
public enum EmptyCases {
    /**
     * The raw value, nnU-Net's rule: NaN where a metric is not defined (left out of means), infinite distances where one mask is empty
     * (left out of means and counted).
     */
    NAN,
    /** A number for every case, so that nobody wins by predicting nothing: distances become the image's diagonal. */
    CHALLENGE;

    /**
     * Applies the rule.
     *
     * @param metric the metric
     * @param raw its value by the formula
     * @param noReference whether the reference has no voxel (no lesion, for lesion metrics)
     * @param noPrediction the same of the prediction
     * @param diagonalMm of the image
     */
    public double value(Metric metric, double raw, boolean noReference, boolean noPrediction, double diagonalMm) {
        if (this == NAN || !noReference && !noPrediction) {
            return raw;
        }
        boolean both = noReference && noPrediction;
        return switch (metric.kind()) {
            case OVERLAP, VOLUME_SIMILARITY, LESION_F1 -> both ? 1 : 0;
            case DISTANCE -> both ? 0 : diagonalMm;
            case VOLUME_DIFFERENCE -> both ? 0 : noReference ? 1 : raw;
            case PRECISION -> noReference ? raw : 0;
            case LESION_RECALL -> noReference ? 1 : 0;
            case LESION_PRECISION -> both ? 1 : 0;
            case PLAIN -> raw;
        };
    }
}
