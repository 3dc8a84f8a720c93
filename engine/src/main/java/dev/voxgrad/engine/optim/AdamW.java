package dev.voxgrad.engine.optim;

import dev.voxgrad.bindings.ffi.VoxgradH;
import dev.voxgrad.bindings.ffi.vg_adamw;
import dev.voxgrad.engine.autograd.Gradients;
import dev.voxgrad.engine.nn.Parameters;
import dev.voxgrad.engine.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Adam with decoupled weight decay, PyTorch's {@code AdamW} (Loshchilov and Hutter 2019), or plain Adam with the decay in the
 * gradient. Eps is added after the bias correction of the root; AMSGrad uses the running maximum of the second moment.
 */
public final class AdamW implements Optimizer {
    /** Its constants; {@code decoupled} false is Adam. */
    public record Settings(
            double beta1, double beta2, double eps, double weightDecay, boolean amsgrad, boolean decoupled) {
        /** PyTorch's defaults. */
        public static final Settings DEFAULT = new Settings(0.9, 0.999, 1e-8, 1e-2, false, true);

        /** Checks the ranges. */
        public Settings {
            requireRanges("adamw", beta1, beta2, eps, weightDecay);
        }

        static void requireRanges(String optimizer, double beta1, double beta2, double eps, double weightDecay) {
            if (!(beta1 >= 0 && beta1 < 1) || !(beta2 >= 0 && beta2 < 1) || !(eps > 0) || !(weightDecay >= 0)) {
                throw new IllegalArgumentException(optimizer + ": beta1 " + beta1 + " and beta2 " + beta2
                        + " must be in [0, 1), eps " + eps + " positive, weight decay " + weightDecay + " at least 0");
            }
        }
    }

    private static final String FIRST = "first_moment";
    private static final String SECOND = "second_moment";
    private static final String MAXIMUM = "second_moment_max";

    private final Settings settings;
    private final OptimizerState state;

    /** With moments that start at zero. */
    public AdamW(Settings settings) {
        this.settings = settings;
        List<String> kinds = new ArrayList<>(List.of(FIRST, SECOND));
        if (settings.amsgrad()) {
            kinds.add(MAXIMUM);
        }
        this.state = OptimizerState.ofZeros(kinds);
    }

    @Override
    public void step(Parameters parameters, Gradients gradients, double lr, double gradientScale) {
        Table table = new Table(parameters, gradients);
        Map<String, Tensor> tensors = state.tensors(parameters);
        state.advance();
        if (table.isEmpty()) {
            return;
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment p = vg_adamw.allocate(arena);
            vg_adamw.size(p, vg_adamw.sizeof());
            vg_adamw.step(p, state.steps());
            vg_adamw.lr(p, lr);
            vg_adamw.beta1(p, settings.beta1());
            vg_adamw.beta2(p, settings.beta2());
            vg_adamw.eps(p, settings.eps());
            vg_adamw.weight_decay(p, settings.weightDecay());
            vg_adamw.gradient_scale(p, (float) gradientScale);
            vg_adamw.amsgrad(p, settings.amsgrad() ? 1 : 0);
            vg_adamw.decoupled(p, settings.decoupled() ? 1 : 0);
            vg_adamw.reserved(p, 0);
            // Decay (2), two averages (7), step (5); parameter and averages are read and written, the gradient is read.
            table.announce("adamw_step", 14, settings.amsgrad() ? 9 : 7);
            table.context()
                    .check(VoxgradH.vg_adamw_step(
                            table.context().handle(),
                            p,
                            table.count(),
                            table.lengths(arena),
                            table.parameters(arena),
                            table.gradients(arena),
                            table.states(arena, tensors, n -> FIRST + "." + n),
                            table.states(arena, tensors, n -> SECOND + "." + n),
                            settings.amsgrad()
                                    ? table.states(arena, tensors, n -> MAXIMUM + "." + n)
                                    : MemorySegment.NULL));
        }
    }

    @Override
    public OptimizerState state() {
        return state;
    }
}
