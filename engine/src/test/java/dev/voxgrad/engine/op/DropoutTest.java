package dev.voxgrad.engine.op;

import static org.assertj.core.api.Assertions.assertThat;

import dev.voxgrad.engine.autograd.Tape;
import dev.voxgrad.engine.tensor.Scope;
import dev.voxgrad.engine.tensor.Shape;
import dev.voxgrad.engine.tensor.Tensor;
import dev.voxgrad.golden.Devices;
import dev.voxgrad.golden.EachDevice;
import java.util.List;

class DropoutTest {
    private static final Shape SHAPE = new Shape(2, 4, 10, 25, 7);

    private static Tensor ones(Scope scope) {
        Tensor x = scope.tensor(SHAPE);
        x.fill(1);
        return x;
    }

    private static float[] drop(Scope scope, Dropout.Unit unit, long seed, long stream) {
        Tensor x = ones(scope);
        Tape tape = Tape.training(scope, List.of(x));
        return Dropout.apply(tape, x, 0.25f, unit, new Dropout.Draw(seed, stream))
                .toArray();
    }

    @EachDevice
    void nothingHappensOutsideTraining(String device) {
        try (var d = Devices.open(device);
                Scope scope = d.scope()) {
            Tensor x = ones(scope);
            Dropout.Draw draw = new Dropout.Draw(1, 1);
            assertThat(Dropout.apply(Tape.evaluation(scope, List.of(x)), x, 0.5f, Dropout.Unit.ELEMENT, draw))
                    .isSameAs(x);
            assertThat(Dropout.apply(Tape.inference(scope), x, 0.5f, Dropout.Unit.ELEMENT, draw))
                    .isSameAs(x);
        }
    }

    @EachDevice
    void shareOfDroppedElementsIsWithinFiveStandardErrors(String device) {
        try (var d = Devices.open(device);
                Scope scope = d.scope()) {
            float[] y = drop(scope, Dropout.Unit.ELEMENT, 9, 4);
            int dropped = 0;
            for (float v : y) {
                assertThat(v == 0 || v == 1 / 0.75f).isTrue();
                dropped += v == 0 ? 1 : 0;
            }
            double error = Math.sqrt(0.25 * 0.75 / y.length);
            assertThat((double) dropped / y.length).isBetween(0.25 - 5 * error, 0.25 + 5 * error);
        }
    }

    @EachDevice
    void drawDependsOnSeedAndStreamOnly(String device) {
        try (var d = Devices.open(device);
                Scope scope = d.scope()) {
            float[] y = drop(scope, Dropout.Unit.ELEMENT, 9, 4);
            assertThat(drop(scope, Dropout.Unit.ELEMENT, 9, 4)).isEqualTo(y);
            assertThat(drop(scope, Dropout.Unit.ELEMENT, 9, 5)).isNotEqualTo(y);
            assertThat(drop(scope, Dropout.Unit.ELEMENT, 8, 4)).isNotEqualTo(y);
        }
    }

    @EachDevice
    void channelsAreDroppedAsAWhole(String device) {
        try (var d = Devices.open(device);
                Scope scope = d.scope()) {
            float[] y = drop(scope, Dropout.Unit.CHANNEL, 9, 4);
            int c = (int) SHAPE.c();
            int sample = y.length / (int) SHAPE.n();
            for (int i = 0; i < y.length; i++) {
                assertThat(y[i]).isEqualTo(y[i / sample * sample + i % c]);
            }
        }
    }
}
