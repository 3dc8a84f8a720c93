package dev.voxgrad.engine.image;

import dev.voxgrad.engine.ShapeException;

/** Voxel counts of a volume: depth (z), height (y), width (x). A channel must fit a Java array. */
public record Grid(int depth, int height, int width) {
    /** Checks that every axis has voxels and that a channel fits an array. */
    public Grid {
        long voxels = (long) depth * height;
        if (depth < 1 || height < 1 || width < 1 || voxels > maxVoxels() / width) {
            throw new ShapeException("volume: a shape of " + depth + " x " + height + " x " + width
                    + " is not between 1 and " + maxVoxels() + " voxels");
        }
    }

    /** Largest number of voxels in one channel. */
    public static long maxVoxels() {
        return Integer.MAX_VALUE - 8L;
    }

    /** Number of voxels. */
    public int voxels() {
        return depth * height * width;
    }

    /** Depth, height, width. */
    public int[] sizes() {
        return new int[] {depth, height, width};
    }

    /** The index z, y, x of a flat position, for messages. */
    String indexOf(int flat) {
        return "(" + flat / (height * width) + ", " + flat / width % height + ", " + flat % width + ")";
    }

    @Override
    public String toString() {
        return "[" + depth + ", " + height + ", " + width + "]";
    }
}
