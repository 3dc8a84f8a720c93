package dev.voxgrad.engine.optim;

import dev.voxgrad.engine.nn.Parameters;
import dev.voxgrad.engine.tensor.Tensor;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** State tensors, made on first use, and the number of steps. */
final class OptimizerState {
    private final List<String> kinds;
    private final Map<String, Tensor> tensors = new LinkedHashMap<>();
    private long steps;

    /** One tensor of each kind for each parameter, named {@code kind.parameter}. */
    OptimizerState(List<String> kinds) {
        this.kinds = kinds;
    }

    Map<String, Tensor> tensors(Parameters parameters) {
        if (tensors.isEmpty()) {
            for (String kind : kinds) {
                parameters
                        .byName()
                        .forEach((name, parameter) -> tensors.put(
                                kind + "." + name, parameters.scope().zeros(parameter.shape())));
            }
        }
        return Collections.unmodifiableMap(tensors);
    }

    long steps() {
        return steps;
    }

    void resume(long done) {
        if (done < 0) {
            throw new IllegalArgumentException("cannot resume after " + done + " steps");
        }
        steps = done;
    }

    void advance() {
        steps++;
    }
}
