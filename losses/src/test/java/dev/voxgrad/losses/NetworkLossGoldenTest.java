package dev.voxgrad.losses;

import static org.assertj.core.api.Assertions.assertThat;

import dev.voxgrad.engine.autograd.Gradients;
import dev.voxgrad.engine.autograd.Tape;
import dev.voxgrad.engine.nn.DeepSupervision;
import dev.voxgrad.engine.nn.Module;
import dev.voxgrad.engine.nn.NetworkSpec;
import dev.voxgrad.engine.nn.Networks;
import dev.voxgrad.engine.nn.ParameterSpec;
import dev.voxgrad.engine.nn.Parameters;
import dev.voxgrad.engine.nn.PlainUNet;
import dev.voxgrad.engine.nn.StateTensor;
import dev.voxgrad.engine.op.Loss;
import dev.voxgrad.engine.tensor.Device;
import dev.voxgrad.engine.tensor.Labels;
import dev.voxgrad.engine.tensor.Scope;
import dev.voxgrad.engine.tensor.Tensor;
import dev.voxgrad.golden.ChannelsLast;
import dev.voxgrad.golden.Devices;
import dev.voxgrad.golden.Golden;
import dev.voxgrad.golden.GoldenCase;
import dev.voxgrad.golden.GoldenTensor;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import tools.jackson.databind.JsonNode;

/** A network under deep supervision with Dice and cross entropy: the gradient of every parameter, from logits to the first weight. */
class NetworkLossGoldenTest {
    @TestFactory
    Stream<DynamicTest> matchesReference() {
        List<GoldenCase> cases = Golden.category("networks").cases(PlainUNet.NAME).stream()
                .filter(c -> c.has("out/loss"))
                .toList();
        assertThat(cases).isNotEmpty();
        return cases.stream()
                .map(c -> DynamicTest.dynamicTest(
                        c.name(), () -> Devices.each(device -> check(c.on(device.name()), device))));
    }

    private static void check(GoldenCase golden, Device device) {
        NetworkSpec spec = spec(golden.params());
        JsonNode settings = golden.params().path("loss");
        assertThat(settings.path("inner").asString()).isEqualTo("dice_ce");
        String text = "dice(batch=%s, background=%s, smooth=%s) + ce"
                .formatted(settings.path("batch_dice"), settings.path("do_bg"), settings.path("smooth"));
        Loss loss = Losses.parse(text, golden.params().path("classes").asInt(), OptionalInt.empty());
        try (Scope scope = device.scope()) {
            Module network = Networks.create(spec, scope);
            Parameters parameters = network.parameters();
            parameters.load(state(golden));
            Tape tape = Tape.training(scope, parameters.tensors());
            List<Tensor> outputs = network.forward(tape, ChannelsLast.tensor(scope, golden.tensor("in/x")));
            DeepSupervision supervision = DeepSupervision.of(outputs.size());
            assertThat(supervision.weights()).isEqualTo(doubles(settings.path("deep_supervision_weights")));
            Labels labels = ChannelsLast.labels(scope, golden.tensor("in/labels"));

            Tensor value = supervision.apply(tape, loss, outputs, labels);
            golden.check("out/loss", value.toArray());

            Gradients gradients = tape.backward(value);
            Map<String, Tensor> byName = new LinkedHashMap<>();
            parameters.byName().forEach((name, t) -> gradients.of(t).ifPresent(g -> byName.put(name, g)));
            Map<String, StateTensor> exported = parameters.export(byName);
            for (ParameterSpec p : parameters.specs()) {
                // The head of weight 0 is not evaluated; the reference has zeros for it.
                StateTensor gradient = exported.get(p.name());
                golden.check(
                        "loss/" + p.name(),
                        gradient == null ? new float[(int) p.shape().elements()] : gradient.values());
            }
        }
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

    private static List<Double> doubles(JsonNode array) {
        return array.values().stream().map(JsonNode::asDouble).toList();
    }

    private static List<List<Integer>> nested(JsonNode array) {
        return array.values().stream().map(NetworkLossGoldenTest::integers).toList();
    }
}
