package dev.voxgrad.losses;

import static org.assertj.core.api.Assertions.assertThat;

import dev.voxgrad.engine.autograd.Tape;
import dev.voxgrad.engine.op.SegLoss.Nonlinearity;
import dev.voxgrad.engine.tensor.Device;
import dev.voxgrad.engine.tensor.Labels;
import dev.voxgrad.engine.tensor.Scope;
import dev.voxgrad.engine.tensor.Shape;
import dev.voxgrad.engine.tensor.Tensor;
import dev.voxgrad.golden.ChannelsLast;
import dev.voxgrad.golden.GoldenCase;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import tools.jackson.databind.JsonNode;

/** Tensors of a golden loss case on a device, and what losses give on them. */
final class GoldenLoss {
    private final GoldenCase golden;
    private final Scope scope;
    private final Tensor logits;
    private final OptionalInt ignoreLabel;
    private final Optional<Labels> mask;

    GoldenLoss(GoldenCase golden, Scope scope) {
        this.golden = golden;
        this.scope = scope;
        this.logits = ChannelsLast.tensor(scope, golden.tensor("in/logits"));
        JsonNode ignore = golden.params().path("ignore_index");
        this.ignoreLabel = ignore.isNumber() ? OptionalInt.of(ignore.asInt()) : OptionalInt.empty();
        this.mask = golden.has("in/mask")
                ? Optional.of(ChannelsLast.channels(scope, golden.tensor("in/mask")))
                : Optional.empty();
    }

    /** Value, the values of the parts and the gradient against the reference. */
    static void check(GoldenCase golden, GoldenTexts.Texts texts, Device device) {
        try (Scope scope = device.scope()) {
            GoldenLoss on = new GoldenLoss(golden, scope);
            golden.checkScalar("value", on.value(texts.loss()));
            texts.parts().forEach((key, text) -> golden.checkScalar(key, on.value(text)));

            Tape tape = Tape.training(scope, List.of(on.logits));
            SegmentationLoss loss = on.parse(texts.loss());
            Tensor value = loss.apply(tape, on.logits, on.labels(loss), on.mask);
            float[] gradient =
                    ChannelsLast.array(tape.backward(value).of(on.logits).orElseThrow());
            if (golden.has("out/value")) {
                golden.check("out/value", value.toArray());
                golden.check("grad/logits", gradient);
            } else {
                assertThat(value.item()).isNaN();
            }
        }
    }

    Labels foreground() {
        return ChannelsLast.channels(scope, golden.tensor("in/foreground"));
    }

    private double value(String text) {
        SegmentationLoss loss = parse(text);
        return loss.value(logits, labels(loss), mask);
    }

    private SegmentationLoss parse(String text) {
        return (SegmentationLoss) Losses.parse(text, (int) logits.shape().c(), ignoreLabel);
    }

    private Labels labels(SegmentationLoss loss) {
        if (golden.has("in/foreground")) {
            return foreground();
        }
        if (golden.has("in/labels")) {
            return ChannelsLast.labels(scope, golden.tensor("in/labels"));
        }
        Labels targets = ChannelsLast.channels(scope, golden.tensor("in/target"));
        return loss.sum().nonlinearity() == Nonlinearity.SIGMOID ? targets : classes(targets);
    }

    /** One-hot targets as the class labels that softmax losses take. */
    private Labels classes(Labels targets) {
        Shape shape = targets.shape();
        byte[] channels = targets.toArray();
        byte[] classes = new byte[(int) (shape.n() * shape.voxels())];
        int c = (int) shape.c();
        for (int i = 0; i < classes.length; i++) {
            int ones = 0;
            for (int k = 0; k < c; k++) {
                if (channels[i * c + k] != 0) {
                    classes[i] = (byte) k;
                    ones++;
                }
            }
            assertThat(ones).as("%s: targets of voxel %d", golden, i).isEqualTo(1);
        }
        return scope.labels(shape.withChannels(1), classes);
    }
}
