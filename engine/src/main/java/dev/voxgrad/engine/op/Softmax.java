package dev.voxgrad.engine.op;

import dev.voxgrad.bindings.NativeContext;
import dev.voxgrad.bindings.ffi.VoxgradH;
import dev.voxgrad.engine.autograd.Gradients;
import dev.voxgrad.engine.autograd.Op;
import dev.voxgrad.engine.autograd.Tape;
import dev.voxgrad.engine.tensor.Tensor;
import dev.voxgrad.engine.tensor.Work;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Softmax over the channels of each voxel, or its logarithm: PyTorch's {@code softmax} and {@code log_softmax} along axis 1. Input
 * and output [N,D,H,W,C]; the output is kept, the gradient needs nothing else.
 */
public final class Softmax implements Op {
    private final Tensor x;
    private final Tensor y;
    private final boolean log;

    private Softmax(Tensor x, Tensor y, boolean log) {
        this.x = x;
        this.y = y;
        this.log = log;
    }

    /** Probabilities, y_c = exp(x_c) / sum_k exp(x_k); records itself on the tape. */
    public static Tensor apply(Tape tape, Tensor x) {
        return apply(tape, x, false);
    }

    /** Log-probabilities, y_c = x_c - log sum_k exp(x_k), accurate where the probability underflows; records itself. */
    public static Tensor applyLog(Tape tape, Tensor x) {
        return apply(tape, x, true);
    }

    private static Tensor apply(Tape tape, Tensor x, boolean log) {
        Tensor y = tape.output(x.shape());
        NativeContext context = x.device().context();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment p = Tensor.map(arena, x, y);
            // Largest value, difference, exponential, sum, quotient.
            x.device().announce(Work.of("softmax_forward", 5 * x.shape().elements(), x, y, Work.bytes(x, y)));
            context.check(
                    log
                            ? VoxgradH.vg_log_softmax_forward(context.handle(), p, x.data(), y.data())
                            : VoxgradH.vg_softmax_forward(context.handle(), p, x.data(), y.data()));
        }
        return tape.record(y, new Softmax(x, y, log), x);
    }

    @Override
    public void backward(Tensor gradient, Gradients gradients) {
        Tensor dx = gradients.make(x.shape());
        // y is dense and the native call wants dy with y's stride.
        Tensor dy = gradient.dense() ? gradient : gradient.copy(gradients.scope());
        NativeContext context = x.device().context();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment p = Tensor.map(arena, dx, y);
            // Product and sum, difference, product.
            x.device().announce(Work.of("softmax_backward", 4 * x.shape().elements(), dy, dx, Work.bytes(y, dy, dx)));
            context.check(
                    log
                            ? VoxgradH.vg_log_softmax_backward(context.handle(), p, y.data(), dy.data(), dx.data())
                            : VoxgradH.vg_softmax_backward(context.handle(), p, y.data(), dy.data(), dx.data()));
        }
        if (dy != gradient) {
            gradients.scope().free(dy);
        }
        gradients.give(x, dx);
    }

    @Override
    public boolean usesOutput() {
        return true;
    }
}
