package dev.voxgrad.engine.augment;

import dev.voxgrad.engine.ShapeException;
import dev.voxgrad.engine.op.Triple;

/**
 * One training sample. Transforms change its arrays in place.
 *
 * @param caseId the case that it was cut from
 * @param size depth, height, width in voxels
 * @param channels of the image
 * @param image [z][y][x][channel]
 * @param labels [z][y][x], unsigned
 */
public record Patch(String caseId, Triple size, int channels, float[] image, byte[] labels) {
    /** Checks the lengths of the arrays. */
    public Patch {
        int voxels = size.d() * size.h() * size.w();
        if (image.length != voxels * channels || labels.length != voxels) {
            throw new ShapeException("patch " + size + " with " + channels + " channels: " + image.length
                    + " image values and " + labels.length + " labels");
        }
    }
}
