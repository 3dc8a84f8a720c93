package dev.voxgrad.engine.image;

import java.util.List;

/** An image as read: its header, which outputs in its geometry need, its voxels, and what was odd but readable. */
public record NiftiImage(NiftiHeader header, Volume volume, List<String> warnings) {
    /** Keeps its own list. */
    public NiftiImage {
        warnings = List.copyOf(warnings);
    }
}
