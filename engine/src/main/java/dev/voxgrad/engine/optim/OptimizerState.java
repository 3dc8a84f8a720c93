package dev.voxgrad.engine.optim;

import dev.voxgrad.engine.nn.Parameters;
import dev.voxgrad.engine.tensor.Tensor;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What an optimizer remembers from step to step: tensors of a few kinds, each with the shape of its parameter, and the number of
 * steps. To resume, copy saved values into {@link #tensors} and call {@link #resume}.
 */
public final class OptimizerState {
    /** What a state tensor holds before the first step. */
    enum Start {
        ZERO,
        PARAMETER
    }

    private final Map<String, Start> kinds;
    private final Map<String, Tensor> tensors = new LinkedHashMap<>();
    private long steps;
    private int resumptions;

    /** One tensor of each kind for each parameter, named {@code kind.parameter}, in the order of the map. */
    OptimizerState(Map<String, Start> kinds) {
        this.kinds = Collections.unmodifiableMap(new LinkedHashMap<>(kinds));
    }

    /** With tensors that start at zero. */
    static OptimizerState ofZeros(List<String> kinds) {
        Map<String, Start> zeros = new LinkedHashMap<>();
        kinds.forEach(kind -> zeros.put(kind, Start.ZERO));
        return new OptimizerState(zeros);
    }

    /**
     * The tensors by name, for example {@code momentum.encoder.stages.0.0.convs.0.conv.weight}. The first call makes them in the
     * parameters' scope, from the values that the parameters have then; the first step makes that call.
     */
    public Map<String, Tensor> tensors(Parameters parameters) {
        if (tensors.isEmpty()) {
            kinds.forEach((kind, start) -> parameters
                    .byName()
                    .forEach((name, parameter) -> tensors.put(
                            kind + "." + name,
                            start == Start.ZERO
                                    ? parameters.scope().zeros(parameter.shape())
                                    : parameter.copy(parameters.scope()))));
        }
        return Collections.unmodifiableMap(tensors);
    }

    /** Number of steps done. */
    public long steps() {
        return steps;
    }

    /** Continues after a number of steps with the values that {@link #tensors} hold now. */
    public void resume(long done) {
        if (done < 0) {
            throw new IllegalArgumentException("cannot resume after " + done + " steps");
        }
        steps = done;
        resumptions++;
    }

    /** How often {@link #resume} was called: whatever an optimizer derived from the tensors before is stale. */
    int resumptions() {
        return resumptions;
    }

    void advance() {
        steps++;
    }
}
