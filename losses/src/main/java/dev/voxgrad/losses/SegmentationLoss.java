package dev.voxgrad.losses;

import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.ShapeException;
import dev.voxgrad.engine.autograd.Tape;
import dev.voxgrad.engine.op.Loss;
import dev.voxgrad.engine.op.Progress;
import dev.voxgrad.engine.op.SegLoss;
import dev.voxgrad.engine.op.SegLoss.Nonlinearity;
import dev.voxgrad.engine.tensor.Labels;
import dev.voxgrad.engine.tensor.Tensor;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * A sum of terms as the objective of a network. {@code toString} is the text that a plan stores.
 *
 * @param sum what is computed
 * @param classes channels of the logits: classes with background for softmax (at least 2), regions for sigmoid
 * @param ignoreLabel label of voxels that do not count, none of the classes; softmax only
 */
public record SegmentationLoss(Sum sum, int classes, OptionalInt ignoreLabel) implements Loss {
    /** Labels are bytes. */
    private static final int LABEL_MAX = 255;

    /** Checks that sum, classes and ignore label fit each other. */
    public SegmentationLoss {
        boolean softmax = sum.nonlinearity() == Nonlinearity.SOFTMAX;
        if (classes < (softmax ? 2 : 1)) {
            throw new ConfigException(
                    "loss \"" + sum + "\" cannot be used with " + classes + (classes == 1 ? " class" : " classes")
                            + (softmax ? ", softmax needs the background and at least one more" : ""));
        }
        if (ignoreLabel.isPresent()) {
            int label = ignoreLabel.getAsInt();
            if (!softmax) {
                throw new ConfigException(
                        "loss \"" + sum + "\" has independent channels, an ignore label needs a softmax loss");
            }
            if (label < classes || label > LABEL_MAX) {
                throw new ConfigException("the ignore label " + label + " must lie above the " + classes
                        + " classes (0 to " + (classes - 1) + ") and be at most " + LABEL_MAX);
            }
        }
        sum.requireClasses(classes);
    }

    @Override
    public Tensor apply(Tape tape, Tensor logits, Labels labels) {
        requireShape(logits);
        return SegLoss.apply(tape, logits, labels, options(), sum.passes());
    }

    /** The value alone, in float64. */
    double value(Tensor logits, Labels labels) {
        requireShape(logits);
        return SegLoss.value(logits, labels, options(), sum.passes());
    }

    private void requireShape(Tensor logits) {
        if (logits.shape().c() != classes) {
            throw new ShapeException("loss \"" + sum + "\" is for " + classes + " classes, the logits are "
                    + logits.shape() + "; check the labels of the plan");
        }
    }

    @Override
    public SegmentationLoss at(Progress progress) {
        Sum now = sum.at(progress);
        return now == sum ? this : new SegmentationLoss(now, classes, ignoreLabel);
    }

    /** What the passes need to know. */
    SegLoss.Options options() {
        return new SegLoss.Options(sum.nonlinearity(), ignoreLabel.orElse(-1), Optional.empty());
    }

    @Override
    public String toString() {
        return sum.toString();
    }
}
