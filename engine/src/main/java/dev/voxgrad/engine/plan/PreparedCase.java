package dev.voxgrad.engine.plan;

import dev.voxgrad.engine.ShapeException;
import dev.voxgrad.engine.image.Geometry;
import dev.voxgrad.engine.op.Triple;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/**
 * A case as the network sees it: cropped to its non-zero region, normalised, resampled to the plan's spacing.
 *
 * @param id of the case
 * @param size of image and labels in voxels
 * @param channels of the image
 * @param image [z][y][x][channel]
 * @param labels [z][y][x], unsigned; outside the non-zero region 0; no elements if the case has no labels
 * @param spacingMm of image and labels
 * @param crop box of the source that was kept
 * @param sourceSize voxels of the source
 * @param sourceGeometry spacing and place of the source
 * @param locations per foreground label, or region from 1, indices z H W + y W + x of voxels with it, a random choice of at most 10 000 or one in a hundred;
 *     with an ignore label also, under {@link #ANNOTATED}, of voxels with any other label
 */
public record PreparedCase(
        String id,
        Triple size,
        int channels,
        float[] image,
        byte[] labels,
        List<Double> spacingMm,
        CropBox crop,
        Triple sourceSize,
        Geometry sourceGeometry,
        Map<Integer, int[]> locations) {
    /** Key of the locations of all voxels that are annotated. */
    public static final int ANNOTATED = -1;

    /** Checks that the arrays have the right lengths. */
    public PreparedCase {
        int voxels = size.d() * size.h() * size.w();
        if (image.length != voxels * channels || (labels.length != 0 && labels.length != voxels)) {
            throw new ShapeException(id + ": " + image.length + " image values and " + labels.length + " labels for "
                    + size + " with " + channels + " channels");
        }
        spacingMm = List.copyOf(spacingMm);
        locations = Collections.unmodifiableMap(new LinkedHashMap<>(locations));
    }

    /** The axis that is resampled on its own on the way back to the source. */
    public OptionalInt separateAxisBack() {
        return Resampler.separateAxis(spacingMm, CaseReader.spacing(sourceGeometry));
    }

    /** Memory of its arrays. */
    public long bytes() {
        long bytes = (long) image.length * Float.BYTES + labels.length;
        for (int[] voxels : locations.values()) {
            bytes += (long) voxels.length * Integer.BYTES;
        }
        return bytes;
    }
}
