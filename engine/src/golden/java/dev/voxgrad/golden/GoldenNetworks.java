package dev.voxgrad.golden;

import dev.voxgrad.engine.autograd.Gradients;
import dev.voxgrad.engine.nn.NetworkSpec;
import dev.voxgrad.engine.nn.Networks;
import dev.voxgrad.engine.nn.ParameterSpec;
import dev.voxgrad.engine.nn.Parameters;
import dev.voxgrad.engine.nn.StateTensor;
import dev.voxgrad.engine.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
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
        return switch (golden.op()) {
            case "BasicUNet" -> basic(p);
            case "ClassicUNet2D" ->
                Networks.classicUNet2D(
                        p.path("in_channels").asInt(), p.path("classes").asInt(), integers(p.path("features")));
            case "GenericUNetV1" -> v1(p);
            default -> nnUNet(p);
        };
    }

    private static NetworkSpec nnUNet(JsonNode p) {
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
                p.path("eps").asDouble(),
                NetworkSpec.LEAKY_RELU,
                0,
                0);
    }

    private static NetworkSpec basic(JsonNode p) {
        return Networks.basicUNet(
                p.path("dim").asInt(),
                p.path("in_channels").asInt(),
                p.path("out_channels").asInt(),
                integers(p.path("features")),
                p.path("activation").asString(),
                p.path("dropout").asDouble());
    }

    private static NetworkSpec v1(JsonNode p) {
        List<List<Integer>> strides = new ArrayList<>(nested(p.path("pool_kernels")));
        strides.add(0, Collections.nCopies(p.path("dim").asInt(), 1));
        int stages = strides.size();
        int convs = p.path("convs_per_stage").asInt();
        return new NetworkSpec(
                "GenericUNetV1",
                p.path("dim").asInt(),
                p.path("in_channels").asInt(),
                p.path("classes").asInt(),
                Networks.doubled(
                        p.path("base_features").asInt(),
                        stages,
                        p.path("max_features").asInt()),
                nested(p.path("conv_kernels")),
                strides,
                Collections.nCopies(stages, convs),
                Collections.nCopies(stages - 1, convs),
                p.path("deep_supervision").asBoolean(),
                p.path("negative_slope").asDouble(),
                p.path("eps").asDouble(),
                NetworkSpec.LEAKY_RELU,
                0,
                0);
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
