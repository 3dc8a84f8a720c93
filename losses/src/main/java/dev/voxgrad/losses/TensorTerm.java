package dev.voxgrad.losses;

import dev.voxgrad.engine.autograd.Tape;
import dev.voxgrad.engine.tensor.Labels;
import dev.voxgrad.engine.tensor.Tensor;
import java.util.Optional;

/**
 * A term made of autograd ops, for what is no function of sums or of one number per voxel. It costs what its ops cost, beside the
 * passes of the other terms.
 */
public interface TensorTerm extends Term {
    /**
     * Computes the term and records it.
     *
     * @param logits [N,D,H,W,C]; 0 under the mask, whatever the network says there, and a gradient there goes nowhere
     * @param labels class labels [N,D,H,W,1] for softmax, 0/1 targets [N,D,H,W,C] for sigmoid
     * @param mask 0/1 bytes [N,D,H,W,1], 0 where a voxel does not count; none when all do. Labels under it may be any number. Such a
     *     voxel must not change the value: neither add to it nor be one of those it is divided by
     * @return a tensor with one element
     */
    Tensor apply(Tape tape, Tensor logits, Labels labels, Optional<Labels> mask);
}
