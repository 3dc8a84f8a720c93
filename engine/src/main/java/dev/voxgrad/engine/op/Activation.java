package dev.voxgrad.engine.op;

import dev.voxgrad.bindings.NativeContext;
import dev.voxgrad.bindings.ffi.VoxgradH;
import dev.voxgrad.bindings.ffi.vg_activation;
import dev.voxgrad.engine.ShapeException;
import dev.voxgrad.engine.autograd.Gradients;
import dev.voxgrad.engine.autograd.Op;
import dev.voxgrad.engine.autograd.Tape;
import dev.voxgrad.engine.tensor.Tensor;
import dev.voxgrad.engine.tensor.Work;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/** An element-wise function y = f(x), any shape. The gradient is dy * f'(x); x is kept. */
public final class Activation implements Op {
    /** The functions; {@link #slope}, {@link #beta} and {@link #threshold} are 0 where a function has none. */
    public record Function(Kind kind, float slope, float beta, float threshold) {
        /** f(x) = x. */
        public static final Function IDENTITY = new Function(Kind.IDENTITY, 0, 0, 0);

        /** x tanh(softplus(x)). */
        public static final Function MISH = new Function(Kind.MISH, 0, 0, 0);

        /** 1/(1 + exp(-x)). */
        public static final Function SIGMOID = new Function(Kind.SIGMOID, 0, 0, 0);

        /** max(x, 0); derivative 0 at 0. */
        public static final Function RELU = leakyRelu(0);

        /** x where positive, slope * x elsewhere; derivative at 0 is the slope. */
        public static Function leakyRelu(float slope) {
            return new Function(Kind.LEAKY_RELU, slope, 0, 0);
        }

        /** log(1 + exp(beta x))/beta, x itself where beta x is above the threshold. */
        public static Function softplus(float beta, float threshold) {
            return new Function(Kind.SOFTPLUS, 0, beta, threshold);
        }

        /** The factor below 0 of a function that is x above 0 and linear below; empty for the others. */
        public Optional<Float> leak() {
            return switch (kind) {
                case IDENTITY -> Optional.of(1f);
                case LEAKY_RELU -> Optional.of(slope);
                case MISH, SIGMOID, SOFTPLUS -> Optional.empty();
            };
        }
    }

    /** The kinds of {@code vg_activation_kind}, in its order. */
    public enum Kind {
        IDENTITY,
        LEAKY_RELU,
        MISH,
        SIGMOID,
        SOFTPLUS
    }

    private final Tensor x;
    private final Function function;

    private Activation(Tensor x, Function function) {
        this.x = x;
        this.function = function;
    }

    /** Applies it and records it on the tape. */
    public static Tensor apply(Tape tape, Tensor x, Function function) {
        return apply(tape, x, function, Optional.empty());
    }

    /**
     * Applies it and records it on the tape.
     *
     * @param into where to write the result, for example the channel slice of a concatenation; empty = a new tensor
     */
    public static Tensor apply(Tape tape, Tensor x, Function function, Optional<Tensor> into) {
        if (into.isPresent() && !into.get().shape().equals(x.shape())) {
            throw new ShapeException("activation: result " + x.shape() + " does not fit into "
                    + into.get().shape());
        }
        Activation op = new Activation(x, function);
        Tensor y = into.orElseGet(() -> tape.output(x.shape()));
        NativeContext context = x.device().context();
        try (Arena arena = Arena.ofConfined()) {
            x.device().announce(Work.of("activation_forward", x.shape().elements(), x, y, Work.bytes(x, y)));
            context.check(VoxgradH.vg_activation_forward(context.handle(), op.problem(arena, y), x.data(), y.data()));
        }
        return tape.record(y, op, x);
    }

    private MemorySegment problem(Arena arena, Tensor y) {
        MemorySegment p = vg_activation.allocate(arena);
        vg_activation.size(p, vg_activation.sizeof());
        vg_activation.n(p, x.shape().n());
        vg_activation.voxels(p, x.shape().voxels());
        vg_activation.c(p, x.shape().c());
        vg_activation.x_stride(p, x.stride());
        vg_activation.y_stride(p, y.stride());
        vg_activation.kind(p, function.kind().ordinal());
        vg_activation.slope(p, function.slope());
        vg_activation.beta(p, function.beta());
        vg_activation.threshold(p, function.threshold());
        return p;
    }

    @Override
    public void backward(Tensor dy, Gradients gradients) {
        NativeContext context = x.device().context();
        Tensor dx = gradients.make(x.shape());
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment p = problem(arena, dy);
            Work work = Work.of("activation_backward", 2 * x.shape().elements(), dy, dx, Work.bytes(x, dy, dx));
            if (x.stride() == dx.stride()) {
                x.device().announce(work);
                context.check(VoxgradH.vg_activation_backward(context.handle(), p, x.data(), dy.data(), dx.data()));
            } else { // x is a slice: the native call wants x and dx with one stride
                Tensor dense = x.copy(gradients.scope());
                vg_activation.x_stride(p, dense.stride());
                x.device().announce(work);
                context.check(VoxgradH.vg_activation_backward(context.handle(), p, dense.data(), dy.data(), dx.data()));
                gradients.scope().free(dense);
            }
        }
        gradients.give(x, dx);
    }
}
