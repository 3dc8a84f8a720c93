package dev.voxgrad.engine.op;

import dev.voxgrad.bindings.NativeContext;
import dev.voxgrad.bindings.ffi.VoxgradH;
import dev.voxgrad.engine.ShapeException;
import dev.voxgrad.engine.autograd.Gradients;
import dev.voxgrad.engine.autograd.Op;
import dev.voxgrad.engine.autograd.Tape;
import dev.voxgrad.engine.tensor.Shape;
import dev.voxgrad.engine.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/**
 * 3D cross-correlation with zero padding, PyTorch's {@code conv3d} without dilation and groups; 2D data have depth 1.
 *
 * <p>Input [N,D,H,W,Ci], weight [Co,kd,kh,kw,Ci], bias [Co], output size (in + 2p - k)/s + 1 per axis.
 */
public final class Conv3d implements Op {
    private final Tensor x;
    private final Tensor w;
    private final Optional<Tensor> b;
    private final Triple stride;
    private final Triple padding;

    private Conv3d(Tensor x, Tensor w, Optional<Tensor> b, Triple stride, Triple padding) {
        this.x = x;
        this.w = w;
        this.b = b;
        this.stride = stride;
        this.padding = padding;
    }

    /** Applies it and records it on the tape. */
    public static Tensor apply(Tape tape, Tensor x, Tensor w, Optional<Tensor> b, Triple stride, Triple padding) {
        Conv3d op = new Conv3d(x, w, b, stride, padding);
        Tensor y = tape.output(op.outputShape());
        NativeContext context = x.device().context();
        try (Arena arena = Arena.ofConfined()) {
            x.device().announce(ConvProblem.work("conv3d_forward", y, w, x, y, w));
            context.check(VoxgradH.vg_conv3d_forward(
                    context.handle(),
                    op.problem(arena, x, y),
                    MemorySegment.NULL,
                    x.data(),
                    w.data(),
                    b.map(Tensor::data).orElse(MemorySegment.NULL),
                    y.data()));
        }
        return b.isPresent() ? tape.record(y, op, x, w, b.get()) : tape.record(y, op, x, w);
    }

    private Shape outputShape() {
        Shape in = x.shape();
        Shape k = w.shape();
        if (k.c() != in.c()) {
            throw new ShapeException(
                    "conv3d: weight " + k + " has " + k.c() + " input channels, the input " + in + " has " + in.c());
        }
        if (!w.dense() || (b.isPresent() && b.get().shape().elements() != k.n())) {
            throw new ShapeException(
                    "conv3d: bias " + b.map(Tensor::shape) + " for weight " + k + "; weights must be dense");
        }
        return new Shape(
                in.n(),
                size("depth", in.d(), k.d(), stride.d(), padding.d()),
                size("height", in.h(), k.h(), stride.h(), padding.h()),
                size("width", in.w(), k.w(), stride.w(), padding.w()),
                k.n());
    }

    private long size(String axis, long in, long k, long s, long p) {
        if (in + 2 * p < k || s < 1 || p < 0) {
            throw new ShapeException("conv3d: kernel " + k + ", stride " + s + ", padding " + p + " do not fit the "
                    + axis + " of " + x.shape());
        }
        return (in + 2 * p - k) / s + 1;
    }

    private MemorySegment problem(Arena arena, Tensor input, Tensor output) {
        return ConvProblem.of(arena, input, output, ConvProblem.kernel(w), stride, padding);
    }

    @Override
    public void backward(Tensor dy, Gradients gradients) {
        NativeContext context = x.device().context();
        try (Arena arena = Arena.ofConfined()) {
            if (gradients.wants(w) || (b.isPresent() && gradients.wants(b.get()))) {
                Tensor dw = gradients.make(w.shape());
                Optional<Tensor> db = b.map(t -> gradients.make(t.shape()));
                x.device().announce(ConvProblem.work("conv3d_backward_weight", dy, w, x, dw, dy));
                context.check(VoxgradH.vg_conv3d_backward_weight(
                        context.handle(),
                        problem(arena, x, dy),
                        MemorySegment.NULL,
                        x.data(),
                        dy.data(),
                        dw.data(),
                        db.map(Tensor::data).orElse(MemorySegment.NULL)));
                gradients.give(w, dw);
                if (db.isPresent()) {
                    gradients.give(b.orElseThrow(), db.get());
                }
            }
            if (gradients.wants(x)) {
                Tensor dx = gradients.make(x.shape());
                x.device().announce(ConvProblem.work("conv3d_backward_input", dy, w, dy, dx, w));
                context.check(VoxgradH.vg_conv3d_backward_input(
                        context.handle(), problem(arena, dx, dy), MemorySegment.NULL, dy.data(), w.data(), dx.data()));
                gradients.give(x, dx);
            }
        }
    }
}
