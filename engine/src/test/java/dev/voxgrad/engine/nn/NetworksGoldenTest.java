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
import dev.voxgrad.golden.GoldenNetworks;
import dev.voxgrad.golden.GoldenTensor;
import java.util.ArrayList;
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
        Map<String, Golden.Handler> handlers = new LinkedHashMap<>();
        Networks.names().forEach(name -> handlers.put(name, NetworksGoldenTest::check));
        return Golden.category("networks").tests(handlers);
    }

    private static void check(GoldenCase golden) throws Exception {
        Devices.each(device -> check(golden.on(device.name()), device));
    }

    private static void check(GoldenCase golden, Device device) {
        NetworkSpec spec = GoldenNetworks.spec(golden);
        golden.checkScalar("parameters", ParameterSpec.count(Networks.parameters(spec)));
        try (Scope scope = device.scope()) {
            Module network = Networks.create(spec, scope);
            Parameters parameters = network.parameters();
            Map<String, StateTensor> state = GoldenNetworks.state(golden);
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
            // A head that is not evaluated has no gradient here, and none or zeros in the reference.
            GoldenNetworks.gradients(parameters, gradients).forEach((name, values) -> {
                if (gradients.of(parameters.get(name)).isPresent() || golden.has("grad/" + name)) {
                    golden.check("grad/" + name, values);
                }
            });
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

    /** As a saved checkpoint: every tensor under all its names, with the prefix of a compiled network. */
    private static Map<String, StateTensor> withAliases(GoldenCase golden, Map<String, StateTensor> state) {
        Map<String, StateTensor> saved = new LinkedHashMap<>();
        state.forEach((name, tensor) -> saved.put("_orig_mod." + name, tensor));
        JsonNode aliases = golden.json().path("state_aliases");
        boolean hasAliases = state.keySet().stream().anyMatch(name -> name.startsWith("encoder.stages."));
        assertThat(aliases.size() > 0).as("aliases of nnU-Net's names").isEqualTo(hasAliases);
        for (Map.Entry<String, JsonNode> alias : aliases.properties()) {
            saved.put("_orig_mod." + alias.getKey(), state.get(alias.getValue().asString()));
        }
        return saved;
    }
}
