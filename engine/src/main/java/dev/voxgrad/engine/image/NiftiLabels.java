package dev.voxgrad.engine.image;

import java.util.List;

/** A label map as read: its header, its labels, and what was odd but readable. */
public record NiftiLabels(NiftiHeader header, LabelVolume labels, List<String> warnings) {
    /** Keeps its own list. */
    public NiftiLabels {
        warnings = List.copyOf(warnings);
    }
}
