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
 * Transposed convolution whose kernel equals its stride, PyTorch's {@code conv_transpose3d} without padding; 2D data have depth 1.
 *
 * <p>Input [N,D,H,W,Ci], weight [Ci,kd,kh,kw,Co], bias [Co], output [N,D*kd,H*kh,W*kw,Co]: every input voxel paints its own block,
 * y[v*k + r, o] = b[o] + sum_i x[v,i] w[i,r,o]. Inputs are kept for the gradient of the weight.
 */
public final class ConvTranspose3d implements Op {
    private final Tensor x;
    private final Tensor w;
    private final Optional<Tensor> b;

    private ConvTranspose3d(Tensor x, Tensor w, Optional<Tensor> b) {
        this.x = x;
        this.w = w;
        this.b = b;
    }

    /**
     * Applies it and records it on the tape.
     *
     * @param into where to write the result, for example the channel slice of a concatenation; empty = a new tensor
     */
    public static Tensor apply(Tape tape, Tensor x, Tensor w, Optional<Tensor> b, Optional<Tensor> into) {
        Shape in = x.shape();
        Shape k = w.shape();
        if (k.n() != in.c()) {
            throw new ShapeException("transposed conv3d: weight " + k + " has " + k.n() + " input channels, the input "
                    + in + " has " + in.c());
        }
        if (!w.dense() || (b.isPresent() && b.get().shape().elements() != k.c())) {
            throw new ShapeException(
                    "transposed conv3d: bias " + b.map(Tensor::shape) + " for weight " + k + "; weights must be dense");
        }
        Shape out = new Shape(in.n(), in.d() * k.d(), in.h() * k.h(), in.w() * k.w(), k.c());
        if (into.isPresent() && !into.get().shape().equals(out)) {
            throw new ShapeException("transposed conv3d: result " + out + " does not fit into "
                    + into.get().shape());
        }
        ConvTranspose3d op = new ConvTranspose3d(x, w, b);
        Tensor y = into.orElseGet(() -> tape.output(out));
        NativeContext context = x.device().context();
        try (Arena arena = Arena.ofConfined()) {
            x.device().announce(ConvProblem.work("conv_transpose3d_forward", x, w, x, y, w));
            context.check(VoxgradH.vg_conv_transpose3d_forward(
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

    private MemorySegment problem(Arena arena, Tensor input, Tensor output) {
        Triple kernel = ConvProblem.kernel(w);
        return ConvProblem.of(arena, input, output, kernel, kernel, Triple.of(0));
    }

    @Override
    public void backward(Tensor dy, Gradients gradients) {
        NativeContext context = x.device().context();
        try (Arena arena = Arena.ofConfined()) {
            if (gradients.wants(w) || (b.isPresent() && gradients.wants(b.get()))) {
                Tensor dw = gradients.make(w.shape());
                Optional<Tensor> db = b.map(t -> gradients.make(t.shape()));
                x.device().announce(ConvProblem.work("conv_transpose3d_backward_weight", x, w, x, dw, dy));
                context.check(VoxgradH.vg_conv_transpose3d_backward_weight(
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
                x.device().announce(ConvProblem.work("conv_transpose3d_backward_input", x, w, dy, dx, w));
                context.check(VoxgradH.vg_conv_transpose3d_backward_input(
                        context.handle(), problem(arena, dx, dy), MemorySegment.NULL, dy.data(), w.data(), dx.data()));
                gradients.give(x, dx);
            }
        }
    }
}
