package dev.voxgrad.engine.autograd;

import dev.voxgrad.engine.tensor.Tensor;

/**
 * A recorded operation with one output. A class that implements it holds forward and backward side by side: a static
 * {@code apply(tape, ...)} computes the output and records the op, {@link #backward} turns the gradient of the output into
 * gradients of the inputs.
 */
public interface Op {
    /**
     * Adds this op's part to the gradients of its inputs.
     *
     * @param gradient derivative of the scalar by the output, same shape as the output; the op may overwrite it if it then hands
     *     it on with {@link Gradients#give}
     * @param gradients where the results go; ask {@link Gradients#wants} before computing one
     */
    void backward(Tensor gradient, Gradients gradients);

    /** True when {@link #backward} uses the memory of the op's output; otherwise that may be free by then. */
    default boolean usesOutput() {
        return false;
    }
}
