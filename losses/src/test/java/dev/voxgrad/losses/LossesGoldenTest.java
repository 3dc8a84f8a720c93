package dev.voxgrad.losses;

import static org.assertj.core.api.Assertions.assertThat;

import dev.voxgrad.engine.autograd.Gradients;
import dev.voxgrad.engine.autograd.Tape;
import dev.voxgrad.engine.infer.Uncertainty;
import dev.voxgrad.engine.nn.DeepSupervision;
import dev.voxgrad.engine.op.Components;
import dev.voxgrad.engine.tensor.Device;
import dev.voxgrad.engine.tensor.Labels;
import dev.voxgrad.engine.tensor.Scope;
import dev.voxgrad.engine.tensor.Tensor;
import dev.voxgrad.golden.ChannelsLast;
import dev.voxgrad.golden.Devices;
import dev.voxgrad.golden.Golden;
import dev.voxgrad.golden.GoldenCase;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import tools.jackson.databind.JsonNode;

/** Values and gradients of the reference implementations. */
class LossesGoldenTest {
    @TestFactory
    Stream<DynamicTest> matchesReference() {
        Map<String, Golden.Handler> handlers = new LinkedHashMap<>();
        handlers.put("cross_entropy", loss(GoldenTexts::crossEntropy));
        handlers.put("bce_with_logits", loss(GoldenTexts::binaryCrossEntropy));
        handlers.put("soft_dice", loss(GoldenTexts::softDice));
        handlers.put("monai_dice", loss(GoldenTexts::monaiDice));
        handlers.put("monai_dice_ce", loss(GoldenTexts::monaiDiceAndCrossEntropy));
        handlers.put("generalized_dice", loss(GoldenTexts::generalizedDice));
        handlers.put("generalized_dice_nnunet_v1", loss(GoldenTexts::generalizedDiceOfNnunetV1));
        handlers.put("weighted_ce_weighted_dice", loss(GoldenTexts::weightedCrossEntropyAndDice));
        handlers.put("topk_cross_entropy", LossesGoldenTest::checkTopK);
        handlers.put("dice_ce", loss(GoldenTexts::diceAndCrossEntropy));
        handlers.put("dice_topk", loss(GoldenTexts::diceAndTopK));
        handlers.put("dice_bce", loss(GoldenTexts::diceAndBinaryCrossEntropy));
        handlers.put("wce_gdl", loss(GoldenTexts::weightedCrossEntropyAndGeneralizedDice));
        handlers.put("blob_loss", LossesGoldenTest::checkBlob);
        handlers.put(
                "deep_supervision", golden -> Devices.each(device -> checkHeads(golden.on(device.name()), device)));
        handlers.put("loss_schedule", GoldenSchedule::checkWeights);
        handlers.put("class_weights", GoldenSchedule::checkClassWeights);
        handlers.put("uncertainty", LossesGoldenTest::checkUncertainty);
        return Golden.category("losses").tests(handlers);
    }

    private static Golden.Handler loss(Function<GoldenCase, GoldenTexts.Texts> texts) {
        return golden ->
                Devices.each(device -> GoldenLoss.check(golden.on(device.name()), texts.apply(golden), device));
    }

    private static void checkTopK(GoldenCase golden) throws Exception {
        loss(GoldenTexts::topK).check(golden);
        if (golden.json().path("scalars").has("selected")) {
            String text = GoldenTexts.topK(golden).loss();
            int classes = golden.tensor("in/logits").shape()[1];
            Sum sum = LossBuilder.build(text, new Catalog(Losses.factories().values()), LossContext.of(classes));
            TopK term = (TopK) sum.parts().getFirst().term();
            golden.checkScalar("selected", term.selected((long) golden.scalar("voxels")));
        }
    }

    private static void checkBlob(GoldenCase golden) throws Exception {
        Devices.each(device -> {
            GoldenCase here = golden.on(device.name());
            try (Scope scope = device.scope()) {
                Labels foreground = new GoldenLoss(here, scope).foreground();
                int connectivity = GoldenTexts.connectivity(
                        golden.params().required("connectivity").asString());
                List<Components> channels = IntStream.range(
                                0, (int) foreground.shape().c())
                        .mapToObj(
                                channel -> Components.label(scope, foreground, channel, Optional.empty(), connectivity))
                        .toList();
                List<Long> counts = new ArrayList<>();
                for (int sample = 0; sample < foreground.shape().n(); sample++) {
                    for (Components channel : channels) {
                        counts.add(channel.counts().get(sample));
                    }
                }
                JsonNode expected = golden.json().path("scalars").path("blobs_per_pair");
                assertThat(counts)
                        .as("%s: blobs per pair", here)
                        .isEqualTo(
                                expected.values().stream().map(JsonNode::asLong).toList());
            }
        });
        loss(GoldenTexts::blob).check(golden);
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
            String text = GoldenTexts.diceAndCrossEntropy(golden).loss();
            SegmentationLoss loss = (SegmentationLoss)
                    Losses.parse(text, (int) heads.getFirst().shape().c(), OptionalInt.empty());
            JsonNode parts = golden.json().path("scalars").path("parts");
            for (int i = 0; i < heads.size(); i++) {
                Labels labels = ChannelsLast.labels(scope, golden.tensor("in/labels." + i));
                double part = loss.value(heads.get(i), labels, Optional.empty());
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

    private static void checkUncertainty(GoldenCase golden) {
        float[] probabilities = golden.tensor("in/probability").floats();
        for (Uncertainty mode : Uncertainty.values()) {
            golden.check("out/" + TermText.word(mode), mode.of(probabilities, 1));
        }
    }
}
