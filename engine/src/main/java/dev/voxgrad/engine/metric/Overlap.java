package dev.voxgrad.engine.metric;

/**
 * Overlap and volume of two masks. Ratios are those of {@link Confusion}, NaN where they do not exist; volumes are in mm^3.
 *
 * @param counts voxels, those with the ignore label left out
 * @param voxelVolumeMm3 product of the spacings
 */
public record Overlap(Confusion counts, double voxelVolumeMm3) {
    /** Of a pair of masks. */
    public static Overlap of(MaskPair pair) {
        return new Overlap(pair.counts(), pair.voxelVolumeMm3());
    }

    /** Volume of the reference. */
    public double referenceMm3() {
        return counts.reference() * voxelVolumeMm3;
    }

    /** Volume of the prediction. */
    public double predictionMm3() {
        return counts.predicted() * voxelVolumeMm3;
    }

    /** Absolute volume difference. */
    public double differenceMm3() {
        return Math.abs(counts.predicted() - counts.reference()) * voxelVolumeMm3;
    }
}
