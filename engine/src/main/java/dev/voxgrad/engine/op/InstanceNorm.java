package dev.voxgrad.engine.op;

import dev.voxgrad.bindings.NativeContext;
import dev.voxgrad.bindings.ffi.VoxgradH;
import dev.voxgrad.bindings.ffi.vg_instance_norm;
import dev.voxgrad.engine.ShapeException;
import dev.voxgrad.engine.autograd.Gradients;
import dev.voxgrad.engine.autograd.Op;
import dev.voxgrad.engine.autograd.Tape;
import dev.voxgrad.engine.tensor.Shape;
import dev.voxgrad.engine.tensor.Tensor;
import dev.voxgrad.engine.tensor.Work;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/**
 * Instance norm and the activation behind it in one pass, PyTorch's {@code InstanceNorm3d(affine=True)} followed by the function.
 *
 * <p>y = f((x - mean)/sqrt(var + eps) * gamma + beta), mean and biased variance per sample and channel over the voxels; gamma and
 * beta [C]. Only x and the statistics are kept: backward recomputes the normalised values and the activation's derivative.
 */
public final class InstanceNorm implements Op {
    private final Tensor x;
    private final Tensor gamma;
    private final Tensor beta;
    private final float eps;
    private final Activation.Function function;
    private final Tensor mean;
    private final Tensor rstd;

    private InstanceNorm(Tensor x, Tensor gamma, Tensor beta, float eps, Activation.Function function, Tape tape) {
        this.x = x;
        this.gamma = gamma;
        this.beta = beta;
        this.eps = eps;
        this.function = function;
        Shape statistics = new Shape(x.shape().n(), 1, 1, 1, x.shape().c());
        this.mean = tape.output(statistics);
        this.rstd = tape.output(statistics);
    }

    /**
     * Applies it and records it on the tape.
     *
     * @param function identity, leaky ReLU or mish
     * @param into where to write the result, for example the channel slice of a concatenation; empty = a new tensor
     */
    public static Tensor apply(
            Tape tape,
            Tensor x,
            Tensor gamma,
            Tensor beta,
            float eps,
            Activation.Function function,
            Optional<Tensor> into) {
        Shape s = x.shape();
        requireFit(s, gamma, beta, into);
        InstanceNorm op = new InstanceNorm(x, gamma, beta, eps, function, tape);
        Tensor y = into.orElseGet(() -> tape.output(s));
        NativeContext context = x.device().context();
        try (Arena arena = Arena.ofConfined()) {
            // Two sums (3), scale and shift (2), activation (1).
            x.device().announce(Work.of("instance_norm_forward", 6 * s.elements(), x, y, Work.bytes(x, y)));
            context.check(VoxgradH.vg_instance_norm_forward(
                    context.handle(),
                    op.problem(arena, y),
                    x.data(),
                    gamma.data(),
                    beta.data(),
                    op.mean.data(),
                    op.rstd.data(),
                    y.data()));
        }
        tape.done(op.mean);
        tape.done(op.rstd);
        return tape.record(y, op, x, gamma, beta);
    }

    /** Throws unless a map can be normalised with these parameters into this tensor. */
    static void requireFit(Shape s, Tensor gamma, Tensor beta, Optional<Tensor> into) {
        if (s.voxels() < 2) {
            throw new ShapeException("instance norm: a map " + s
                    + " with one voxel has no variance; use a larger patch or fewer stages");
        }
        if (gamma.shape().elements() != s.c() || beta.shape().elements() != s.c()) {
            throw new ShapeException(
                    "instance norm: gamma " + gamma.shape() + ", beta " + beta.shape() + " for input " + s);
        }
        if (into.isPresent() && !into.get().shape().equals(s)) {
            throw new ShapeException("instance norm: result " + s + " does not fit into "
                    + into.get().shape());
        }
    }

    private MemorySegment problem(Arena arena, Tensor y) {
        MemorySegment p = vg_instance_norm.allocate(arena);
        vg_instance_norm.size(p, vg_instance_norm.sizeof());
        vg_instance_norm.n(p, x.shape().n());
        vg_instance_norm.voxels(p, x.shape().voxels());
        vg_instance_norm.c(p, x.shape().c());
        vg_instance_norm.x_stride(p, x.stride());
        vg_instance_norm.y_stride(p, y.stride());
        vg_instance_norm.eps(p, eps);
        vg_instance_norm.activation(p, function.kind().ordinal());
        vg_instance_norm.slope(p, function.slope());
        vg_instance_norm.reserved(p, 0);
        return p;
    }

    @Override
    public void backward(Tensor dy, Gradients gradients) {
        NativeContext context = x.device().context();
        Tensor dgamma = gradients.make(gamma.shape());
        Tensor dbeta = gradients.make(beta.shape());
        // In place where the strides agree: x's gradient takes the memory of y's.
        Tensor dx = dy.stride() == x.stride() ? dy : gradients.make(x.shape());
        if (dx.stride() != x.stride()) {
            throw new ShapeException("instance norm: the input must be dense, it is a slice of " + x.shape());
        }
        try (Arena arena = Arena.ofConfined()) {
            // Normalised value (2), derivative of the activation (2), two sums (3), combination (4).
            long flops = 11 * x.shape().elements();
            x.device().announce(Work.of("instance_norm_backward", flops, dy, dx, Work.bytes(x, dy, dx)));
            context.check(VoxgradH.vg_instance_norm_backward(
                    context.handle(),
                    problem(arena, dy),
                    x.data(),
                    gamma.data(),
                    beta.data(),
                    mean.data(),
                    rstd.data(),
                    dy.data(),
                    dx.data(),
                    dgamma.data(),
                    dbeta.data()));
        }
        gradients.give(gamma, dgamma);
        gradients.give(beta, dbeta);
        gradients.give(x, dx);
    }
}
