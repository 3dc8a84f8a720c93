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
 * <p>Input [N,D,H,W,Ci], weight [Co,kd,kh,kw,Ci], bias [Co], output size (in + 2p - k)/s + 1 per axis. Norm and activation of the
 * input are applied as it is read, the statistics of a norm behind it are gathered as the output is written.
 */
public final class Conv3d implements Op {
    private final FeatureMap x;
    private final Tensor w;
    private final Optional<Tensor> b;
    private final Triple stride;
    private final Triple padding;

    private Conv3d(FeatureMap x, Tensor w, Optional<Tensor> b, Triple stride, Triple padding) {
        this.x = x;
        this.w = w;
        this.b = b;
        this.stride = stride;
        this.padding = padding;
    }

    /**
     * The instance norm and activation behind a convolution.
     *
     * @param gamma [Co]
     * @param beta [Co]
     * @param slope of the leaky ReLU; 1 = no activation
     */
    public record Norm(Tensor gamma, Tensor beta, float eps, float slope) {}

    /** Applies it to plain values and records it on the tape. */
    public static Tensor apply(Tape tape, Tensor x, Tensor w, Optional<Tensor> b, Triple stride, Triple padding) {
        return apply(tape, FeatureMap.of(x), w, b, stride, padding);
    }

    /** Applies it and records it on the tape. */
    public static Tensor apply(Tape tape, FeatureMap x, Tensor w, Optional<Tensor> b, Triple stride, Triple padding) {
        Conv3d op = new Conv3d(x, w, b, stride, padding);
        Tensor y = tape.output(op.outputShape());
        try (Arena arena = Arena.ofConfined()) {
            op.forward(arena, y, ConvProblem.reading(arena, x));
        }
        return op.recorded(tape, y);
    }

    /**
     * Applies it with a norm and activation behind it, which the next layer applies as it reads, and records both on the tape.
     *
     * @param into where to write the output before its norm, for example the channel slice of a concatenation; empty = a new tensor
     * @throws ShapeException also when the output has one voxel, so that there is no variance
     */
    public static FeatureMap apply(
            Tape tape,
            FeatureMap x,
            Tensor w,
            Optional<Tensor> b,
            Triple stride,
            Triple padding,
            Norm norm,
            Optional<Tensor> into) {
        Conv3d op = new Conv3d(x, w, b, stride, padding);
        Shape out = op.outputShape();
        InstanceNorm.requireFit(out, norm.gamma(), norm.beta(), into);
        Tensor y = into.orElseGet(() -> tape.output(out));
        Tensor rows = tape.output(NormTable.rows(out));
        try (Arena arena = Arena.ofConfined()) {
            op.forward(arena, y, ConvProblem.normalizing(arena, x, norm, rows));
        }
        return NormTable.behind(tape, op.recorded(tape, y), norm, rows);
    }

    private void forward(Arena arena, Tensor y, MemorySegment fusion) {
        Tensor from = x.tensor();
        NativeContext context = from.device().context();
        from.device().announce(ConvProblem.work("conv3d_forward", y, w, from, y, w));
        context.check(VoxgradH.vg_conv3d_forward(
                context.handle(),
                problem(arena, from, y),
                fusion,
                from.data(),
                w.data(),
                b.map(Tensor::data).orElse(MemorySegment.NULL),
                y.data()));
    }

    private Tensor recorded(Tape tape, Tensor y) {
        return b.isPresent() ? tape.record(y, this, x.tensor(), w, b.get()) : tape.record(y, this, x.tensor(), w);
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
            from.device().announce(ConvProblem.work("conv3d_backward_weight", dy, w, from, dw, dy));
            context.check(VoxgradH.vg_conv3d_backward_weight(
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
            dx.device().announce(ConvProblem.work("conv3d_backward_input", dy, w, dy, dx, w));
            context.check(VoxgradH.vg_conv3d_backward_input(
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
