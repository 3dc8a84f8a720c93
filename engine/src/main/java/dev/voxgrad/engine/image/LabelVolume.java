package dev.voxgrad.engine.image;

import dev.voxgrad.engine.ShapeException;

/**
 * A label map: depth x height x width whole numbers 0 to 65535 (C order), stored as unsigned shorts. Treat the array as
 * immutable; it is not copied.
 */
public final class LabelVolume {
    private final short[] labels;
    private final Grid grid;
    private final Geometry geometry;

    /**
     * Takes over the array.
     *
     * @throws ShapeException when it does not have the grid's number of voxels
     */
    public LabelVolume(short[] labels, Grid grid, Geometry geometry) {
        if (labels.length != grid.voxels()) {
            throw new ShapeException(
                    "label volume: " + labels.length + " voxels, shape " + grid + " needs " + grid.voxels());
        }
        this.labels = labels;
        this.grid = grid;
        this.geometry = geometry;
    }

    /** The labels as unsigned shorts; not a copy. */
    public short[] labels() {
        return labels;
    }

    /** The label at a flat position. */
    public int label(int flat) {
        return Short.toUnsignedInt(labels[flat]);
    }

    /** The highest label that occurs. */
    public int highestLabel() {
        int highest = 0;
        for (short label : labels) {
            highest = Math.max(highest, Short.toUnsignedInt(label));
        }
        return highest;
    }

    /** Shape. */
    public Grid grid() {
        return grid;
    }

    /** Spacing and place. */
    public Geometry geometry() {
        return geometry;
    }
}
