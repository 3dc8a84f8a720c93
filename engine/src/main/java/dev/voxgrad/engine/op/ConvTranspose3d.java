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
    private final FeatureMap x;
    private final Tensor w;
    private final Optional<Tensor> b;

    private ConvTranspose3d(FeatureMap x, Tensor w, Optional<Tensor> b) {
        this.x = x;
        this.w = w;
        this.b = b;
    }

    /** Applies it to plain values and records it on the tape; {@code into} as below. */
    public static Tensor apply(Tape tape, Tensor x, Tensor w, Optional<Tensor> b, Optional<Tensor> into) {
        return apply(tape, FeatureMap.of(x), w, b, into);
    }

    /**
     * Applies it and records it on the tape. Norm and activation of the input are applied as it is read.
     *
     * @param into where to write the result, for example the channel slice of a concatenation; empty = a new tensor
     */
    public static Tensor apply(Tape tape, FeatureMap x, Tensor w, Optional<Tensor> b, Optional<Tensor> into) {
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
        Tensor from = x.tensor();
        NativeContext context = from.device().context();
        try (Arena arena = Arena.ofConfined()) {
            from.device().announce(ConvProblem.work("conv_transpose3d_forward", from, w, from, y, w));
            context.check(VoxgradH.vg_conv_transpose3d_forward(
                    context.handle(),
                    op.problem(arena, from, y),
                    ConvProblem.reading(arena, x),
                    from.data(),
                    w.data(),
                    b.map(Tensor::data).orElse(MemorySegment.NULL),
                    y.data()));
        }
        return b.isPresent() ? tape.record(y, op, from, w, b.get()) : tape.record(y, op, from, w);
    }

    private MemorySegment problem(Arena arena, Tensor input, Tensor output) {
        Triple kernel = ConvProblem.kernel(w);
        return ConvProblem.of(arena, input, output, kernel, kernel, Triple.of(0));
    }

    @Override
    public void backward(Tensor dy, Gradients gradients) {
        if (gradients.wants(w) || (b.isPresent() && gradients.wants(b.get()))) {
            backwardWeight(dy, gradients);
        }
        if (gradients.wants(x.tensor())) {
            backwardInput(dy, gradients);
        }
    }

    private void backwardWeight(Tensor dy, Gradients gradients) {
        Tensor from = x.tensor();
        Tensor dw = gradients.make(w.shape());
        Optional<Tensor> db = b.map(t -> gradients.make(t.shape()));
        NativeContext context = from.device().context();
        try (Arena arena = Arena.ofConfined()) {
            from.device().announce(ConvProblem.work("conv_transpose3d_backward_weight", from, w, from, dw, dy));
            context.check(VoxgradH.vg_conv_transpose3d_backward_weight(
                    context.handle(),
                    problem(arena, from, dy),
                    ConvProblem.reading(arena, x),
                    from.data(),
                    dy.data(),
                    dw.data(),
                    db.map(Tensor::data).orElse(MemorySegment.NULL)));
        }
        gradients.give(w, dw);
        db.ifPresent(gradient -> gradients.give(b.orElseThrow(), gradient));
    }

    private void backwardInput(Tensor dy, Gradients gradients) {
        Tensor dx = gradients.make(x.shape());
        Optional<Tensor> sums = x.makeSums(gradients);
        NativeContext context = dx.device().context();
        try (Arena arena = Arena.ofConfined()) {
            dx.device().announce(ConvProblem.work("conv_transpose3d_backward_input", dx, w, dy, dx, w));
            context.check(VoxgradH.vg_conv_transpose3d_backward_input(
                    context.handle(),
                    problem(arena, dx, dy),
                    ConvProblem.gradient(arena, x, sums),
                    dy.data(),
                    w.data(),
                    dx.data()));
        }
        sums.ifPresent(x::giveSums);
        gradients.give(x.tensor(), dx);
    }
}
