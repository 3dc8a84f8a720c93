package dev.voxgrad.engine.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.within;

import dev.voxgrad.engine.autograd.Gradients;
import dev.voxgrad.engine.autograd.Tape;
import dev.voxgrad.engine.op.Activation;
import dev.voxgrad.engine.op.Loss;
import dev.voxgrad.engine.op.Sum;
import dev.voxgrad.engine.tensor.Labels;
import dev.voxgrad.engine.tensor.Scope;
import dev.voxgrad.engine.tensor.Shape;
import dev.voxgrad.engine.tensor.Tensor;
import dev.voxgrad.golden.Devices;
import dev.voxgrad.golden.EachDevice;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class DeepSupervisionTest {
    @Test
    void weightsHalveAndTheLastIsZero() {
        assertThat(DeepSupervision.of(1).weights()).containsExactly(1.0);
        assertThat(DeepSupervision.of(2).weights()).containsExactly(1.0, 0.0);
        assertThat(DeepSupervision.of(3).weights()).containsExactly(2.0 / 3, 1.0 / 3, 0.0);
        List<Double> five = DeepSupervision.of(5).weights();
        assertThat(five.stream().mapToDouble(w -> w).sum()).isCloseTo(1, within(1e-15));
        assertThat(five.get(3) * 8).isEqualTo(five.get(0));
    }

    @EachDevice
    void lossIsTheWeightedSumAgainstResizedLabels(String device) {
        try (var d = Devices.open(device);
                Scope scope = d.scope()) {
            Tensor fine = scope.zeros(Shape.scalar());
            Tensor coarse = scope.zeros(Shape.scalar());
            Tensor coarsest = scope.zeros(Shape.scalar());
            List<byte[]> seen = new ArrayList<>();
            List<Tensor> outputs = List.of(
                    scope.zeros(new Shape(1, 1, 2, 4, 2)),
                    scope.zeros(new Shape(1, 1, 1, 2, 2)),
                    scope.zeros(new Shape(1, 1, 1, 1, 2)));
            fine.fill(3);
            coarse.fill(6);
            List<Tensor> values = List.of(fine, coarse, coarsest);
            Loss loss = (tape, logits, labels) -> {
                seen.add(labels.toArray());
                return Sum.apply(tape, List.of(new Sum.Term(1, values.get(outputs.indexOf(logits)))));
            };
            Labels labels = scope.labels(new Shape(1, 1, 2, 4, 1), new byte[] {0, 1, 2, 3, 4, 5, 6, 7});
            Tape tape = Tape.training(scope, values);
            Tensor total = DeepSupervision.of(3).apply(tape, loss, outputs, labels);
            assertThat(total.item()).isCloseTo(4, within(1e-6f));
            assertThat(seen).hasSize(2);
            assertThat(seen.get(0)).containsExactly(0, 1, 2, 3, 4, 5, 6, 7);
            assertThat(seen.get(1)).containsExactly(5, 7);
            Gradients g = tape.backward(total);
            assertThat(g.of(coarse).orElseThrow().item()).isCloseTo(1f / 3, within(1e-7f));
            assertThat(g.of(coarsest)).isEmpty();
        }
    }

    @EachDevice
    void outputsGoInTheBackwardPassAndStayInAValidation(String device) {
        try (var d = Devices.open(device);
                Scope scope = d.scope()) {
            Tensor x = scope.zeros(Shape.scalar());
            Labels labels = scope.labels(Shape.scalar(), new byte[] {0});
            Loss loss = (tape, logits, y) -> Sum.apply(tape, List.of(new Sum.Term(1, logits)));
            Tape training = Tape.training(scope, List.of(x));
            Tensor logits = Activation.apply(training, x, Activation.Function.RELU);
            Tensor value = DeepSupervision.of(1).apply(training, loss, List.of(logits), labels);
            assertThat(logits.item()).isZero();
            training.backward(value);
            assertThatIllegalStateException().isThrownBy(logits::item);

            Tape validation = Tape.inference(scope);
            Tensor again = Activation.apply(validation, x, Activation.Function.RELU);
            DeepSupervision.of(1).apply(validation, loss, List.of(again), labels);
            assertThat(again.item()).isZero();
        }
    }
}
