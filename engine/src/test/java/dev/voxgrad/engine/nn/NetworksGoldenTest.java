package dev.voxgrad.engine.nn;

import static org.assertj.core.api.Assertions.assertThat;

import dev.voxgrad.engine.autograd.Gradients;
import dev.voxgrad.engine.autograd.Tape;
import dev.voxgrad.engine.tensor.Device;
import dev.voxgrad.engine.tensor.Scope;
import dev.voxgrad.engine.tensor.Tensor;
import dev.voxgrad.golden.ChannelsLast;
import dev.voxgrad.golden.Devices;
import dev.voxgrad.golden.Golden;
import dev.voxgrad.golden.GoldenCase;
import dev.voxgrad.golden.GoldenTensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import tools.jackson.databind.JsonNode;

/** Outputs and all gradients of whole networks match PyTorch in float64. */
class NetworksGoldenTest {
    @TestFactory
    Stream<DynamicTest> networkMatchesTorch() {
        return Golden.category("networks").tests(Map.of("PlainConvUNet", NetworksGoldenTest::check));
    }

    private static void check(GoldenCase golden) throws Exception {
        Devices.each(device -> check(golden.on(device.name()), device));
    }

    private static void check(GoldenCase golden, Device device) {
        NetworkSpec spec = spec(golden.params());
        golden.checkScalar("parameters", ParameterSpec.count(Networks.parameters(spec)));
        try (Scope scope = device.scope()) {
            Module network = Networks.create(spec, scope);
            Parameters parameters = network.parameters();
            Map<String, StateTensor> state = state(golden);
            parameters.load(withAliases(golden, state));
            checkExport(parameters, state);

            Tensor x = ChannelsLast.tensor(scope, golden.tensor("in/x"));
            List<Tensor> leaves = new ArrayList<>(parameters.tensors());
            leaves.add(x);
            Tape tape = Tape.evaluation(scope, leaves);
            List<Tensor> outputs = network.forward(tape, x);
            List<Tensor> upstream = new ArrayList<>();
            double functional = 0;
            for (int i = 0; i < outputs.size(); i++) {
                float[] y = ChannelsLast.array(outputs.get(i));
                golden.check("out/y." + i, y);
                GoldenTensor gy = golden.tensor("in/gy." + i);
                upstream.add(ChannelsLast.tensor(scope, gy));
                for (int j = 0; j < y.length; j++) {
                    functional += y[j] * gy.values()[j];
                }
            }
            assertThat(golden.has("out/y." + outputs.size()))
                    .as("more outputs expected")
                    .isFalse();
            golden.checkScalar("linear_functional", functional);
            checkInference(network, device, golden, outputs);

            Gradients gradients = tape.backward(outputs, upstream);
            golden.check("grad/in.x", ChannelsLast.array(gradients.of(x).orElseThrow()));
            Map<String, Tensor> byName = new LinkedHashMap<>();
            parameters.byName().forEach((name, t) -> gradients.of(t).ifPresent(g -> byName.put(name, g)));
            Map<String, StateTensor> exported = parameters.export(byName);
            for (ParameterSpec p : parameters.specs()) {
                StateTensor gradient = exported.get(p.name());
                // A head that is not evaluated has no gradient here, and none or zeros in the reference.
                float[] values = gradient == null ? new float[(int) p.shape().elements()] : gradient.values();
                if (gradient != null || golden.has("grad/" + p.name())) {
                    golden.check("grad/" + p.name(), values);
                }
            }
        }
    }

    /** A forward pass that records nothing and frees on the way gives the same bits and leaves only the outputs. */
    private static void checkInference(Module network, Device device, GoldenCase golden, List<Tensor> outputs) {
        try (Scope scope = device.scope()) {
            Tensor x = ChannelsLast.tensor(scope, golden.tensor("in/x"));
            List<Tensor> again = network.forward(Tape.inference(scope), x);
            for (int i = 0; i < outputs.size(); i++) {
                assertThat(again.get(i).toArray()).isEqualTo(outputs.get(i).toArray());
            }
            assertThat(x.toArray()).hasSize(golden.tensor("in/x").values().length);
        }
    }

    private static void checkExport(Parameters parameters, Map<String, StateTensor> state) {
        Map<String, StateTensor> exported = parameters.export();
        assertThat(exported.keySet()).containsExactlyElementsOf(state.keySet());
        exported.forEach((name, tensor) ->
                assertThat(tensor.sameBits(state.get(name))).as(name).isTrue());
    }

    private static Map<String, StateTensor> state(GoldenCase golden) {
        Map<String, StateTensor> state = new LinkedHashMap<>();
        for (String key : golden.keys()) {
            if (key.startsWith("state/")) {
                GoldenTensor t = golden.tensor(key);
                List<Long> shape =
                        Arrays.stream(t.shape()).mapToObj(Long::valueOf).toList();
                state.put(key.substring("state/".length()), new StateTensor(shape, t.floats()));
            }
        }
        return state;
    }

    /** As a saved checkpoint: every tensor under all its names, with the prefix of a compiled network. */
    private static Map<String, StateTensor> withAliases(GoldenCase golden, Map<String, StateTensor> state) {
        Map<String, StateTensor> saved = new LinkedHashMap<>();
        state.forEach((name, tensor) -> saved.put("_orig_mod." + name, tensor));
        JsonNode aliases = golden.json().path("state_aliases");
        assertThat(aliases.size()).isPositive();
        for (Map.Entry<String, JsonNode> alias : aliases.properties()) {
            saved.put("_orig_mod." + alias.getKey(), state.get(alias.getValue().asString()));
        }
        return saved;
    }

    private static NetworkSpec spec(JsonNode p) {
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

    private static List<Integer> integers(JsonNode array) {
        return array.values().stream().map(JsonNode::asInt).toList();
    }

    private static List<List<Integer>> nested(JsonNode array) {
        return array.values().stream().map(NetworksGoldenTest::integers).toList();
    }
}
