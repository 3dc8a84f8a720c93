package dev.voxgrad.engine.optim;

import dev.voxgrad.bindings.ffi.VoxgradH;
import dev.voxgrad.engine.autograd.Gradients;
import dev.voxgrad.engine.nn.Parameters;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The L2 norm of all gradients together, PyTorch's {@code clip_grad_norm_} without the writing: pass {@link #clipFactor} to the
 * optimizer as gradient scale.
 *
 * @param value the norm, accumulated in float64; not finite if any gradient is not
 */
public record GradientNorm(double value) {
    /** Keeps the factor finite where the norm is 0; PyTorch's constant. */
    private static final double EPS = 1e-6;

    /** The norm of the gradients of all parameters that have one; 0 if none has. */
    public static GradientNorm of(Parameters parameters, Gradients gradients) {
        Table table = new Table(parameters, gradients);
        if (table.isEmpty()) {
            return new GradientNorm(0);
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment norm = arena.allocate(ValueLayout.JAVA_DOUBLE);
            table.announce("global_norm", 2, 1);
            table.context()
                    .check(VoxgradH.vg_global_norm(
                            table.context().handle(),
                            table.count(),
                            table.lengths(arena),
                            table.gradients(arena),
                            norm));
            return new GradientNorm(norm.get(ValueLayout.JAVA_DOUBLE, 0));
        }
    }

    /** False when a gradient is NaN or infinite: the step must be skipped. */
    public boolean finite() {
        return Double.isFinite(value);
    }

    /**
     * The factor min(1, max/(norm + 1e-6)) that limits the norm.
     *
     * @param max largest norm, nnU-Net: 12
     * @throws IllegalStateException when the norm is not finite
     */
    public double clipFactor(double max) {
        if (!finite()) {
            throw new IllegalStateException("the gradient norm is " + value + "; skip this step");
        }
        return Math.min(1, max / (value + EPS));
    }
}
