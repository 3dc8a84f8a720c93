package dev.voxgrad.engine.optim;

import dev.voxgrad.bindings.NativeContext;
import dev.voxgrad.bindings.ffi.VoxgradH;
import dev.voxgrad.engine.nn.Parameters;
import dev.voxgrad.engine.tensor.Scope;
import dev.voxgrad.engine.tensor.Tensor;
import java.lang.foreign.Arena;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Exponential moving average of the weights: shadow = decay * shadow + (1 - decay) * x; it starts as a copy. */
public final class WeightEma {
    private final double decay;
    private final Map<String, Tensor> shadow = new LinkedHashMap<>();

    /**
     * Copies the parameters.
     *
     * @param scope owner of the copy
     * @param decay in [0, 1), usually 0.99 to 0.999
     */
    public WeightEma(Scope scope, Parameters parameters, double decay) {
        if (!(decay >= 0 && decay < 1)) {
            throw new IllegalArgumentException("weight average: decay " + decay + " is not in [0, 1)");
        }
        this.decay = decay;
        parameters.byName().forEach((name, tensor) -> shadow.put(name, tensor.copy(scope)));
    }

    /** Moves the average towards the parameters; call it after every optimizer step. */
    public void update(Parameters parameters) {
        List<Tensor> current = List.copyOf(parameters.tensors());
        NativeContext context = current.get(0).device().context();
        try (Arena arena = Arena.ofConfined()) {
            Table.announce("ema_update", 3, 3, current);
            context.check(VoxgradH.vg_ema_update(
                    context.handle(),
                    decay,
                    current.size(),
                    Table.lengths(arena, current),
                    Table.pointers(arena, current),
                    Table.pointers(arena, List.copyOf(shadow.values()))));
        }
    }

    /** Starts again as a copy of the parameters. */
    public void restart(Parameters parameters) {
        parameters.byName().forEach((name, tensor) -> shadow.get(name).setScaled(1, tensor));
    }

    /**
     * Exchanges average and parameters; a second call undoes it to the bit. In between {@link #shadow} holds the parameters that
     * training goes on with, and everything that uses the parameters sees the average.
     */
    public void swap(Parameters parameters) {
        parameters.byName().forEach((name, tensor) -> {
            Tensor other = shadow.get(name);
            try (Scope scope = tensor.device().scope()) {
                Tensor kept = tensor.copy(scope);
                tensor.setScaled(1, other);
                other.setScaled(1, kept);
            }
        });
    }

    /** The averaged weights by parameter name. */
    public Map<String, Tensor> shadow() {
        return Collections.unmodifiableMap(shadow);
    }
}
