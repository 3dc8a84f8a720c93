package dev.voxgrad.engine.op;

import dev.voxgrad.engine.ShapeException;
import dev.voxgrad.engine.autograd.Gradients;
import dev.voxgrad.engine.autograd.Op;
import dev.voxgrad.engine.autograd.Tape;
import dev.voxgrad.engine.tensor.Shape;
import dev.voxgrad.engine.tensor.Tensor;

/**
 * Concatenation along channels that copies nothing when its inputs were written into slices of one buffer: the output is the
 * buffer, the gradients of the inputs are slices of its gradient.
 */
public final class Concat implements Op {
    private final Tensor first;
    private final Tensor second;

    private Concat(Tensor first, Tensor second) {
        this.first = first;
        this.second = second;
    }

    /** Concatenates two tensors of equal grids by copying them into a new one. */
    public static Tensor apply(Tape tape, Tensor first, Tensor second) {
        Shape a = first.shape();
        Shape b = second.shape();
        if (!a.withChannels(1).equals(b.withChannels(1))) {
            throw new ShapeException("concat: " + a + " and " + b + " differ in more than their channels");
        }
        Tensor y = tape.output(a.withChannels(a.c() + b.c()));
        y.slice(0, a.c()).setScaled(1, first);
        y.slice(a.c(), b.c()).setScaled(1, second);
        return tape.record(y, new Concat(first, second), first, second);
    }

    /**
     * Declares that a buffer is the concatenation of two of its slices.
     *
     * @param buffer whose first channels are {@code first} and whose last channels are {@code second}
     */
    public static Tensor of(Tape tape, Tensor buffer, Tensor first, Tensor second) {
        if (first.identity() != buffer.identity()
                || second.identity() != buffer.identity()
                || first.shape().c() + second.shape().c() != buffer.shape().c()) {
            throw new ShapeException("concat: " + first + " and " + second + " are not the two halves of " + buffer);
        }
        return tape.record(buffer, new Concat(first, second), first, second);
    }

    @Override
    public void backward(Tensor dy, Gradients gradients) {
        gradients.give(first, dy.slice(0, first.shape().c()));
        gradients.give(second, dy.slice(first.shape().c(), second.shape().c()));
    }
}
