package dev.voxgrad.engine.op;

import dev.voxgrad.engine.autograd.Gradients;
import dev.voxgrad.engine.autograd.Op;
import dev.voxgrad.engine.autograd.Tape;
import dev.voxgrad.engine.tensor.Tensor;

/** The sum of two tensors of equal shape, y = a + b: a residual connection. Both inputs get the gradient of y. */
public final class Add implements Op {
    private final Tensor a;
    private final Tensor b;

    private Add(Tensor a, Tensor b) {
        this.a = a;
        this.b = b;
    }

    /**
     * Applies it and records it on the tape.
     *
     * @throws dev.voxgrad.engine.ShapeException when the shapes differ
     */
    public static Tensor apply(Tape tape, Tensor a, Tensor b) {
        Tensor y = a.copy(tape.scope());
        y.addScaled(1, b);
        return tape.record(y, new Add(a, b), a, b);
    }

    /**
     * The same without new memory: the sum takes the memory of {@code a}, which must not be read any more, not even by the
     * backward pass of the op that made it.
     *
     * @throws dev.voxgrad.engine.ShapeException when the shapes differ
     */
    public static Tensor inPlace(Tape tape, Tensor a, Tensor b) {
        Tensor y = a.slice(0, a.shape().c());
        y.addScaled(1, b);
        return tape.record(y, new Add(a, b), a, b);
    }

    @Override
    public void backward(Tensor dy, Gradients gradients) {
        // Copy first: with a = b the second call then adds dy to the copy, never to itself.
        gradients.share(b, dy);
        gradients.give(a, dy);
    }
}
