package dev.voxgrad.engine.metric;

import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.op.Components;
import java.util.List;

/**
 * How lesions are found and matched.
 *
 * @param connectivity neighbours of a voxel: 6, 18 or 26; 4, 8, 8 in a picture
 * @param minOverlapFraction share of a lesion's voxels, 0 to 1, that the other mask must cover; one voxel at least
 * @param iouThreshold smallest IoU of a one-to-one match, above 0 up to 1
 * @param minSizeMm3 smaller lesions of either mask are treated as if they were not there
 * @param sizeEdgesMm3 ascending borders of the size bins; a lesion of exactly a border's size belongs to the bin above it
 */
public record LesionOptions(
        int connectivity,
        double minOverlapFraction,
        double iouThreshold,
        double minSizeMm3,
        List<Double> sizeEdgesMm3) {
    /** All neighbours, one voxel of overlap, IoU 0.5 for one-to-one matches, no smallest size, one bin. */
    public static final LesionOptions DEFAULT = new LesionOptions(26, 0, 0.5, 0, List.of());

    /**
     * Checks the ranges.
     *
     * @throws ConfigException naming the option that is out of its range
     */
    public LesionOptions {
        sizeEdgesMm3 = List.copyOf(sizeEdgesMm3);
        if (!Components.CONNECTIVITIES.contains(connectivity)) {
            throw new ConfigException(
                    "lesions: connectivity " + connectivity + " is none of " + Components.CONNECTIVITIES);
        }
        if (!(minOverlapFraction >= 0 && minOverlapFraction <= 1)) {
            throw new ConfigException("lesions: minimum overlap " + minOverlapFraction + " is not between 0 and 1");
        }
        if (!(iouThreshold > 0 && iouThreshold <= 1)) {
            throw new ConfigException("lesions: IoU threshold " + iouThreshold + " is not above 0 and at most 1");
        }
        if (!(minSizeMm3 >= 0) || Double.isInfinite(minSizeMm3)) {
            throw new ConfigException("lesions: minimum size " + minSizeMm3 + " mm^3 must be 0 or more");
        }
        for (int i = 0; i < sizeEdgesMm3.size(); i++) {
            double below = i == 0 ? 0 : sizeEdgesMm3.get(i - 1);
            if (!(sizeEdgesMm3.get(i) > below) || Double.isInfinite(sizeEdgesMm3.get(i))) {
                throw new ConfigException("lesions: size bins " + sizeEdgesMm3 + " must be positive and ascend");
            }
        }
    }
}
