package dev.voxgrad.engine.tensor;

import dev.voxgrad.engine.ShapeException;

/**
 * Sizes of a tensor in the order of memory, NDHWC: samples, depth (z), height (y), width (x), channels.
 *
 * <p>2D data have d = 1. Parameters use the same five sizes: a convolution weight [Co][kd][kh][kw][Ci] is (Co, kd, kh, kw, Ci),
 * a vector is (1, 1, 1, 1, length), a scalar is all ones.
 */
public record Shape(long n, long d, long h, long w, long c) {
    /** Every size must be at least 1. */
    public Shape {
        if (n < 1 || d < 1 || h < 1 || w < 1 || c < 1) {
            throw new ShapeException(
                    "every size of [" + n + "," + d + "," + h + "," + w + "," + c + "] must be at least 1");
        }
    }

    /** A vector of {@code length} elements. */
    public static Shape vector(long length) {
        return new Shape(1, 1, 1, 1, length);
    }

    /** A single number. */
    public static Shape scalar() {
        return vector(1);
    }

    /** Voxels of one sample. */
    public long voxels() {
        return d * h * w;
    }

    /** Number of elements. */
    public long elements() {
        return Math.multiplyExact(Math.multiplyExact(n, voxels()), c);
    }

    /** The same sizes with another number of channels. */
    public Shape withChannels(long channels) {
        return new Shape(n, d, h, w, channels);
    }

    /** The same samples and channels on another grid. */
    public Shape withGrid(long depth, long height, long width) {
        return new Shape(n, depth, height, width, c);
    }

    @Override
    public String toString() {
        return "[" + n + "," + d + "," + h + "," + w + "," + c + "]";
    }
}
