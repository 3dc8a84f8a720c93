package dev.voxgrad.engine.optim;

import dev.voxgrad.bindings.ffi.VoxgradH;
import dev.voxgrad.bindings.ffi.vg_sgd;
import dev.voxgrad.engine.autograd.Gradients;
import dev.voxgrad.engine.nn.Parameters;
import dev.voxgrad.engine.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;

/**
 * Stochastic gradient descent with momentum, PyTorch's {@code SGD}: g += decay x; v = g in the first step, then
 * v = momentum v + (1 - dampening) g; x -= lr (g + momentum v) with Nesterov, else x -= lr v. Decay acts on every parameter.
 */
public final class Sgd implements Optimizer {
    /** Its constants; dampening must be 0 with Nesterov. */
    public record Settings(double momentum, boolean nesterov, double dampening, double weightDecay) {
        /** nnU-Net: Nesterov momentum 0.99, weight decay 3e-5. */
        public static final Settings NNUNET = new Settings(0.99, true, 0, 3e-5);

        /** Checks the ranges. */
        public Settings {
            if (!(momentum >= 0 && momentum < 1) || !(weightDecay >= 0) || !(dampening >= 0 && dampening <= 1)) {
                throw new IllegalArgumentException("sgd: momentum " + momentum + " must be in [0, 1), weight decay "
                        + weightDecay + " at least 0, dampening " + dampening + " in [0, 1]");
            }
            if (nesterov && (momentum == 0 || dampening != 0)) {
                throw new IllegalArgumentException("sgd: Nesterov momentum needs a momentum and no dampening");
            }
        }
    }

    private static final String MOMENTUM = "momentum";

    private final Settings settings;
    private final OptimizerState state;

    /** With momentum buffers that start at zero; without momentum there are none. */
    public Sgd(Settings settings) {
        this.settings = settings;
        this.state = OptimizerState.ofZeros(settings.momentum() > 0 ? List.of(MOMENTUM) : List.of());
    }

    @Override
    public void step(Parameters parameters, Gradients gradients, double lr, double gradientScale) {
        Table table = new Table(parameters, gradients);
        Map<String, Tensor> tensors = state.tensors(parameters);
        if (!table.isEmpty()) {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment p = vg_sgd.allocate(arena);
                vg_sgd.size(p, vg_sgd.sizeof());
                vg_sgd.lr(p, (float) lr);
                vg_sgd.momentum(p, (float) settings.momentum());
                vg_sgd.dampening(p, (float) settings.dampening());
                vg_sgd.weight_decay(p, (float) settings.weightDecay());
                vg_sgd.gradient_scale(p, (float) gradientScale);
                vg_sgd.nesterov(p, settings.nesterov() ? 1 : 0);
                vg_sgd.first_step(p, state.steps() == 0 ? 1 : 0);
                vg_sgd.reserved(p, 0);
                // Decay, momentum, step; parameter and momentum are read and written, the gradient is read.
                table.announce("sgd_step", 7, settings.momentum() > 0 ? 5 : 3);
                table.context()
                        .check(VoxgradH.vg_sgd_step(
                                table.context().handle(),
                                p,
                                table.count(),
                                table.lengths(arena),
                                table.parameters(arena),
                                table.gradients(arena),
                                settings.momentum() > 0
                                        ? table.states(arena, tensors, n -> MOMENTUM + "." + n)
                                        : MemorySegment.NULL));
            }
        }
        state.advance();
    }

    @Override
    public OptimizerState state() {
        return state;
    }
}
