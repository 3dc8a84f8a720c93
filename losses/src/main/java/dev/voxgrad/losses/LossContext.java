package dev.voxgrad.losses;

import dev.voxgrad.engine.op.Regions;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What loss text is read for.
 *
 * @param classes channels of the network's output: classes with background for softmax, regions for sigmoid
 * @param ignoreLabel label of voxels that do not count
 * @param counts how often the classes occur in the training labels, for class weights by rule; none where no text asks for them
 * @param regions what the channels of a sigmoid loss are in a map of class labels
 */
public record LossContext(int classes, OptionalInt ignoreLabel, Optional<LabelCounts> counts, Regions regions) {
    /** All voxels count, class weights by rule are not known, the channels of a sigmoid loss are the foreground labels. */
    public static LossContext of(int classes) {
        return new LossContext(classes, OptionalInt.empty(), Optional.empty(), Regions.foreground(classes));
    }

    /** The same with another ignore label, or none. */
    public LossContext withIgnoreLabel(OptionalInt label) {
        return new LossContext(classes, label, counts, regions);
    }

    /** The same with the counts of the training labels. */
    public LossContext withCounts(LabelCounts known) {
        return new LossContext(classes, ignoreLabel, Optional.of(known), regions);
    }

    /** The same with other channels of a sigmoid loss. */
    public LossContext withRegions(Regions channels) {
        return new LossContext(classes, ignoreLabel, counts, channels);
    }
}
