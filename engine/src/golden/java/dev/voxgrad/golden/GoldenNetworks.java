package dev.voxgrad.golden;

import dev.voxgrad.engine.autograd.Gradients;
import dev.voxgrad.engine.nn.NetworkSpec;
import dev.voxgrad.engine.nn.ParameterSpec;
import dev.voxgrad.engine.nn.Parameters;
import dev.voxgrad.engine.nn.StateTensor;
import dev.voxgrad.engine.tensor.Tensor;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.JsonNode;

/** Architecture, weights and gradients of the golden networks. */
public final class GoldenNetworks {
    private static final String STATE = "state/";

    private GoldenNetworks() {}

    /** The architecture in a case's parameters. */
    public static NetworkSpec spec(GoldenCase golden) {
        JsonNode p = golden.params();
        return new NetworkSpec(
                p.path("class").asString(),
                p.path("dim").asInt(),
                p.path("in_channels").asInt(),
                p.path("classes").asInt(),
                integers(p.path("features")),
                nested(p.path("kernels")),
                nested(p.path("strides")),
                integers(p.path("blocks_per_stage")),
                integers(p.path("decoder_convs")),
                p.path("deep_supervision").asBoolean(),
                p.path("negative_slope").asDouble(),
                p.path("eps").asDouble());
    }

    /** The weights of a case by PyTorch's names, in its order. */
    public static Map<String, StateTensor> state(GoldenCase golden) {
        Map<String, StateTensor> state = new LinkedHashMap<>();
        for (String key : golden.keys()) {
            if (key.startsWith(STATE)) {
                GoldenTensor t = golden.tensor(key);
                List<Long> shape =
                        Arrays.stream(t.shape()).mapToObj(Long::valueOf).toList();
                state.put(key.substring(STATE.length()), new StateTensor(shape, t.floats()));
            }
        }
        return state;
    }

    /** All gradients by PyTorch's names and in its layout; zeros for a parameter without one, as its head was not evaluated. */
    public static Map<String, float[]> gradients(Parameters parameters, Gradients gradients) {
        Map<String, Tensor> present = new LinkedHashMap<>();
        parameters.byName().forEach((name, t) -> gradients.of(t).ifPresent(g -> present.put(name, g)));
        Map<String, StateTensor> exported = parameters.export(present);
        Map<String, float[]> all = new LinkedHashMap<>();
        for (ParameterSpec p : parameters.specs()) {
            StateTensor gradient = exported.get(p.name());
            all.put(
                    p.name(),
                    gradient == null ? new float[Math.toIntExact(p.shape().elements())] : gradient.values());
        }
        return all;
    }

    private static List<Integer> integers(JsonNode array) {
        return array.values().stream().map(JsonNode::asInt).toList();
    }

    private static List<List<Integer>> nested(JsonNode array) {
        return array.values().stream().map(GoldenNetworks::integers).toList();
    }
}
