package dev.voxgrad.engine.plan;

import dev.voxgrad.engine.autograd.Tape;
import dev.voxgrad.engine.op.Argmax;
import dev.voxgrad.engine.op.Concat;
import dev.voxgrad.engine.tensor.Labels;
import dev.voxgrad.engine.tensor.Scope;
import dev.voxgrad.engine.tensor.Tensor;
import java.util.Locale;

/** What the channels of a network's output stand for, and which label a voxel gets from its logits. */
public enum Outputs {
    /** Channel k is label k, background included. A voxel gets the label of the largest logit, the lowest one on ties. */
    SOFTMAX(0, Float.NEGATIVE_INFINITY),
    /**
     * Channel k is label k + 1, or region k, with a probability of its own. A voxel gets the label of the largest logit, the lowest one
     * on ties, if that is above 0 (p > 1/2), else background; for regions see {@link LabelRule}.
     */
    SIGMOID(1, 0);

    private final int firstLabel;
    private final float threshold;

    Outputs(int firstLabel, float threshold) {
        this.firstLabel = firstLabel;
        this.threshold = threshold;
    }

    /** The label of channel 0. */
    public int firstLabel() {
        return firstLabel;
    }

    /** What the largest logit has to exceed; background otherwise. */
    public float threshold() {
        return threshold;
    }

    /** Channels of a network for these labels. */
    public int channels(LabelNames labels) {
        return this == SIGMOID && labels.hasRegions() ? labels.regions().size() : labels.classes() - firstLabel;
    }

    /**
     * The labels of logits whose channels are labels, without a gradient.
     *
     * @param tape that is not recording
     * @param logits [N,D,H,W,C]
     * @return owned by the tape's scope, [N,D,H,W,1]
     * @throws dev.voxgrad.bindings.NativeException when a voxel holds a NaN
     */
    public Labels labels(Tape tape, Tensor logits) {
        Scope scope = tape.scope();
        if (this == SOFTMAX) {
            return Argmax.of(scope, logits);
        }
        // Background as a channel in front with logit 0: the lowest channel wins ties, so the others have to exceed it.
        Tensor background = scope.zeros(logits.shape().withChannels(1));
        return Argmax.of(scope, Concat.apply(tape, background, logits));
    }

    /** As in a plan. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
