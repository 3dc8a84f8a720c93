package dev.voxgrad.losses;

import java.util.Optional;
import java.util.OptionalInt;

/**
 * What loss text is read for.
 *
 * @param classes channels of the network's output: classes with background for softmax, regions for sigmoid
 * @param ignoreLabel label of voxels that do not count
 * @param counts how often the classes occur in the training labels, for class weights by rule; none where no text asks for them
 */
public record LossContext(int classes, OptionalInt ignoreLabel, Optional<LabelCounts> counts) {
    /** All voxels count, class weights by rule are not known. */
    public static LossContext of(int classes) {
        return new LossContext(classes, OptionalInt.empty(), Optional.empty());
    }

    /** The same with another ignore label, or none. */
    public LossContext withIgnoreLabel(OptionalInt label) {
        return new LossContext(classes, label, counts);
    }

    /** The same with the counts of the training labels. */
    public LossContext withCounts(LabelCounts known) {
        return new LossContext(classes, ignoreLabel, Optional.of(known));
    }
}
