package dev.voxgrad.losses;

import static org.assertj.core.api.Assertions.assertThat;

import dev.voxgrad.engine.autograd.Gradients;
import dev.voxgrad.engine.autograd.Tape;
import dev.voxgrad.engine.nn.DeepSupervision;
import dev.voxgrad.engine.nn.Module;
import dev.voxgrad.engine.nn.Networks;
import dev.voxgrad.engine.nn.Parameters;
import dev.voxgrad.engine.op.Loss;
import dev.voxgrad.engine.tensor.Labels;
import dev.voxgrad.engine.tensor.Scope;
import dev.voxgrad.engine.tensor.Tensor;
import dev.voxgrad.golden.ChannelsLast;
import dev.voxgrad.golden.Golden;
import dev.voxgrad.golden.GoldenCase;
import dev.voxgrad.golden.GoldenNetworks;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import tools.jackson.databind.JsonNode;

/** A golden training step: a network with its weights, a batch, and Dice and cross entropy under deep supervision. */
final class GoldenStep {
    /** The architectures whose golden data have a loss. */
    private static final List<String> NETWORKS = List.of("PlainConvUNet", "ResidualEncoderUNet", "GenericUNetV1");

    private final GoldenCase golden;
    private final Module network;
    private final Loss loss;
    private final DeepSupervision supervision;

    /** Loss and gradients of one pass. */
    record Result(Tensor loss, Gradients gradients) {}

    /** One test per golden step, for a {@code @TestFactory}. */
    static Stream<DynamicTest> tests(Golden.Handler handler) {
        Golden golden = Golden.category("networks");
        return NETWORKS.stream().flatMap(name -> golden.tests(name, c -> c.has("out/loss"), handler));
    }

    /** Builds the network in the scope of a model and loads the golden weights. */
    GoldenStep(GoldenCase golden, Scope model) {
        this.golden = golden;
        JsonNode settings = golden.params().path("loss");
        assertThat(settings.path("inner").asString()).isEqualTo("dice_ce");
        String text = "dice(batch=%s, background=%s, smooth=%s) + ce"
                .formatted(settings.path("batch_dice"), settings.path("do_bg"), settings.path("smooth"));
        this.loss = Losses.parse(text, golden.params().path("classes").asInt(), OptionalInt.empty());
        this.network = Networks.create(GoldenNetworks.spec(golden), model);
        network.parameters().load(GoldenNetworks.state(golden));
        JsonNode weights = settings.path("deep_supervision_weights");
        this.supervision = DeepSupervision.of(weights.size());
        assertThat(supervision.weights())
                .isEqualTo(weights.values().stream().map(JsonNode::asDouble).toList());
    }

    Parameters parameters() {
        return network.parameters();
    }

    /** Runs forward and backward with all tensors in a scope of the step. */
    Result run(Scope scope) {
        Tape tape = Tape.training(scope, parameters().tensors());
        Tensor value = forward(tape);
        return new Result(value, tape.backward(value));
    }

    /** The loss alone. */
    double loss() {
        try (Scope scope = parameters().scope().device().scope()) {
            return forward(Tape.inference(scope)).item();
        }
    }

    private Tensor forward(Tape tape) {
        List<Tensor> outputs = network.forward(tape, ChannelsLast.tensor(tape.scope(), golden.tensor("in/x")));
        Labels labels = ChannelsLast.labels(tape.scope(), golden.tensor("in/labels"));
        return supervision.apply(tape, loss, outputs, labels);
    }
}
