package dev.voxgrad.losses;

import static org.assertj.core.api.Assertions.assertThat;

import dev.voxgrad.engine.autograd.Gradients;
import dev.voxgrad.engine.autograd.Tape;
import dev.voxgrad.engine.nn.DeepSupervision;
import dev.voxgrad.engine.op.SegLoss;
import dev.voxgrad.engine.op.SegLoss.Nonlinearity;
import dev.voxgrad.engine.tensor.Device;
import dev.voxgrad.engine.tensor.Labels;
import dev.voxgrad.engine.tensor.Scope;
import dev.voxgrad.engine.tensor.Tensor;
import dev.voxgrad.golden.ChannelsLast;
import dev.voxgrad.golden.Devices;
import dev.voxgrad.golden.Golden;
import dev.voxgrad.golden.GoldenCase;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import tools.jackson.databind.JsonNode;

/** Values and gradients of the reference implementations. */
class LossesGoldenTest {
    private static final double DENOMINATOR_FLOOR = 1e-8;

    @TestFactory
    Stream<DynamicTest> matchesReference() {
        return Golden.category("losses")
                .tests(Map.of(
                        "cross_entropy", onEachDevice(c -> Sum.of(crossEntropy(c))),
                        "soft_dice", onEachDevice(c -> Sum.of(softDice(c))),
                        "dice_ce", onEachDevice(LossesGoldenTest::diceAndCrossEntropy),
                        "loss_schedule", GoldenSchedule::checkWeights,
                        "class_weights", GoldenSchedule::checkClassWeights,
                        "deep_supervision",
                                golden -> Devices.each(device -> checkHeads(golden.on(device.name()), device))));
    }

    private static CrossEntropy crossEntropy(GoldenCase c) {
        JsonNode p = c.params();
        List<Double> weights = p.path("class_weights").asBoolean(false)
                ? Arrays.stream(c.tensor("in/class_weights").values()).boxed().toList()
                : List.of();
        String reduction = p.path("reduction").asString("mean").toUpperCase(Locale.ROOT);
        return new CrossEntropy(
                weights, p.path("label_smoothing").asDouble(0), CrossEntropy.Reduction.valueOf(reduction));
    }

    private static SoftDice softDice(GoldenCase c) {
        JsonNode p = c.params();
        assertThat(p.path("denominator_floor").asDouble(DENOMINATOR_FLOOR)).isEqualTo(DENOMINATOR_FLOOR);
        return new SoftDice(
                p.required("batch_dice").asBoolean(),
                p.required("do_bg").asBoolean(),
                p.required("smooth").asDouble(),
                Nonlinearity.valueOf(p.path("nonlin").asString("softmax").toUpperCase(Locale.ROOT)));
    }

    private static Sum diceAndCrossEntropy(GoldenCase c) {
        JsonNode p = c.params();
        return new Sum(List.of(
                new Sum.Part(p.path("weight_dice").asDouble(1), softDice(c)),
                new Sum.Part(p.path("weight_ce").asDouble(1), crossEntropy(c))));
    }

    private static Golden.Handler onEachDevice(Function<GoldenCase, Sum> loss) {
        return golden -> Devices.each(device -> check(golden.on(device.name()), loss.apply(golden), device));
    }

    private static void check(GoldenCase golden, Sum sum, Device device) {
        try (Scope scope = device.scope()) {
            Tensor logits = ChannelsLast.tensor(scope, golden.tensor("in/logits"));
            Labels labels = golden.has("in/target")
                    ? ChannelsLast.channels(scope, golden.tensor("in/target"))
                    : ChannelsLast.labels(scope, golden.tensor("in/labels"));
            JsonNode ignore = golden.params().path("ignore_index");
            OptionalInt ignoreLabel = ignore.isNumber() ? OptionalInt.of(ignore.asInt()) : OptionalInt.empty();
            SegmentationLoss loss =
                    new SegmentationLoss(sum, (int) logits.shape().c(), ignoreLabel);
            SegLoss.Options options = withMask(golden, scope, loss.options());

            golden.checkScalar("value", SegLoss.value(logits, labels, options, sum.passes()));
            for (Sum.Part part : sum.parts()) {
                String key = part.term() instanceof SoftDice ? "dice_part" : "ce_part";
                if (golden.json().path("scalars").has(key)) {
                    golden.checkScalar(
                            key, SegLoss.value(logits, labels, options, Sum.of(part.term()).passes()));
                }
            }

            Tape tape = Tape.training(scope, List.of(logits));
            Tensor value = options.mask().isPresent()
                    ? SegLoss.apply(tape, logits, labels, options, sum.passes())
                    : loss.apply(tape, logits, labels);
            float[] gradient =
                    ChannelsLast.array(tape.backward(value).of(logits).orElseThrow());
            if (golden.has("out/value")) {
                golden.check("out/value", value.toArray());
                golden.check("grad/logits", gradient);
            } else {
                assertThat(value.item()).isNaN();
            }
        }
    }

    private static void checkHeads(GoldenCase golden, Device device) {
        assertThat(golden.params().path("inner").asString()).isEqualTo("dice_ce");
        try (Scope scope = device.scope()) {
            List<Tensor> heads = new ArrayList<>();
            while (golden.has("in/logits." + heads.size())) {
                heads.add(ChannelsLast.tensor(scope, golden.tensor("in/logits." + heads.size())));
            }
            DeepSupervision supervision = DeepSupervision.of(heads.size());
            golden.check(
                    "out/weights",
                    supervision.weights().stream().mapToDouble(w -> w).toArray());
            Sum sum = diceAndCrossEntropy(golden);
            SegmentationLoss loss =
                    new SegmentationLoss(sum, (int) heads.getFirst().shape().c(), OptionalInt.empty());
            JsonNode parts = golden.json().path("scalars").path("parts");
            for (int i = 0; i < heads.size(); i++) {
                Labels labels = ChannelsLast.labels(scope, golden.tensor("in/labels." + i));
                double part = loss.value(heads.get(i), labels);
                golden.checkNumber("parts[" + i + "]", parts.path(i).asDouble(), part, golden.tolerance("scalars"));
            }

            Tape tape = Tape.training(scope, heads);
            Labels labels = ChannelsLast.labels(scope, golden.tensor("in/labels.0"));
            Tensor value = supervision.apply(tape, loss, heads, labels);
            golden.check("out/value", value.toArray());
            Gradients gradients = tape.backward(value);
            for (int i = 0; i < heads.size(); i++) {
                float[] none = new float[(int) heads.get(i).shape().elements()];
                golden.check(
                        "grad/logits." + i,
                        gradients.of(heads.get(i)).map(ChannelsLast::array).orElse(none));
            }
        }
    }

    private static SegLoss.Options withMask(GoldenCase golden, Scope scope, SegLoss.Options options) {
        return golden.has("in/mask")
                ? new SegLoss.Options(
                        options.nonlinearity(),
                        options.ignoreLabel(),
                        Optional.of(ChannelsLast.channels(scope, golden.tensor("in/mask"))))
                : options;
    }
}
