package dev.voxgrad.engine.op;

import dev.voxgrad.engine.autograd.Tape;
import dev.voxgrad.engine.tensor.Labels;
import dev.voxgrad.engine.tensor.Tensor;

/** A scalar training objective. The engine knows losses by this interface only. */
public interface Loss {
    /**
     * Computes the loss of one output of a network and records it.
     *
     * @param logits network output without activation [N,D,H,W,C]
     * @param labels class labels [N,D,H,W,1], or 0/1 targets [N,D,H,W,C] for sigmoid losses
     * @return a tensor with one element
     * @throws dev.voxgrad.engine.DataException when a label is neither a class nor the ignore label
     */
    Tensor apply(Tape tape, Tensor logits, Labels labels);

    /**
     * The loss at a point of the training. A loss that changes with time is a pure function of the point, so that a resumed run
     * needs nothing but its epoch; most losses are the same at every point.
     */
    default Loss at(Progress progress) {
        return this;
    }
}
