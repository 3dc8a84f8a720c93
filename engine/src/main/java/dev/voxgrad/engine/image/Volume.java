package dev.voxgrad.engine.image;

import dev.voxgrad.engine.ShapeException;
import java.util.List;

/**
 * An image: one float array of depth x height x width voxels (C order) per channel. Treat the arrays as immutable; they
 * are not copied because volumes are large.
 */
public final class Volume {
    private final List<float[]> channels;
    private final Grid grid;
    private final Geometry geometry;
    private final long nanCount;
    private final long infCount;

    /**
     * Takes over the arrays and counts what is not finite in them.
     *
     * @throws ShapeException when there is no channel or one does not have the grid's number of voxels
     */
    public Volume(List<float[]> channels, Grid grid, Geometry geometry) {
        if (channels.isEmpty()) {
            throw new ShapeException("volume: has no channel");
        }
        long nan = 0;
        long inf = 0;
        for (float[] channel : channels) {
            if (channel.length != grid.voxels()) {
                throw new ShapeException("volume: a channel has " + channel.length + " voxels, shape " + grid
                        + " needs " + grid.voxels());
            }
            for (float value : channel) {
                if (!Float.isFinite(value)) {
                    if (Float.isNaN(value)) {
                        nan++;
                    } else {
                        inf++;
                    }
                }
            }
        }
        this.channels = List.copyOf(channels);
        this.grid = grid;
        this.geometry = geometry;
        this.nanCount = nan;
        this.infCount = inf;
    }

    /** The channels in order; not copies. */
    public List<float[]> channels() {
        return channels;
    }

    /** Voxels of one channel, C order z, y, x; not a copy. */
    public float[] channel(int index) {
        return channels.get(index);
    }

    /** Shape of every channel. */
    public Grid grid() {
        return grid;
    }

    /** Spacing and place. */
    public Geometry geometry() {
        return geometry;
    }

    /** Number of NaN voxels over all channels. */
    public long nanCount() {
        return nanCount;
    }

    /** Number of infinite voxels over all channels. */
    public long infCount() {
        return infCount;
    }
}
