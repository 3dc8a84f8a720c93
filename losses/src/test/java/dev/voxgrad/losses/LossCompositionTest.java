package dev.voxgrad.losses;

import static dev.voxgrad.losses.Numbers.assertClose;
import static dev.voxgrad.losses.Numbers.loss;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.op.Progress;
import dev.voxgrad.engine.op.SegLoss.Kind;
import dev.voxgrad.engine.op.SegLoss.Nonlinearity;
import dev.voxgrad.engine.op.SegLoss.Sums;
import dev.voxgrad.engine.tensor.Device;
import dev.voxgrad.engine.tensor.Shape;
import dev.voxgrad.golden.Devices;
import dev.voxgrad.golden.EachDevice;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Sums of terms, how many readings they take, and that threads change nothing. */
class LossCompositionTest {
    private static final long SEED = 4712;
    private static final Shape SMALL = new Shape(2, 3, 4, 5, 4);

    private final Random random = new Random(SEED);

    @EachDevice
    void sumOfTermsIsTheSumOfTheirValuesAndGradients(String name) {
        try (Device device = Devices.open(name)) {
            for (Nonlinearity nonlinearity : Nonlinearity.values()) {
                Batch batch = Batch.random(random, SMALL, 2, nonlinearity);
                List<SegmentationLoss> losses = RandomLosses.losses(random, 4, nonlinearity);
                SegmentationLoss all = losses.removeLast();
                double value = 0;
                float[] gradient = new float[batch.logits().length];
                for (int i = 0; i < losses.size(); i++) {
                    double weight = all.sum().parts().get(i).weight();
                    value += weight * batch.value(device, losses.get(i));
                    float[] part = batch.gradient(device, losses.get(i));
                    for (int j = 0; j < gradient.length; j++) {
                        gradient[j] += (float) weight * part[j];
                    }
                }
                String what = "seed " + SEED + ": " + all;
                assertThat(batch.value(device, all)).as(what).isCloseTo(value, within(1e-6 * (1 + Math.abs(value))));
                assertClose(what, batch.gradient(device, all), gradient);
            }
        }
    }

    @EachDevice
    void scaleScales(String name) {
        try (Device device = Devices.open(name)) {
            for (Nonlinearity nonlinearity : Nonlinearity.values()) {
                Batch batch = Batch.random(random, SMALL, 2, nonlinearity);
                for (SegmentationLoss loss : RandomLosses.losses(random, 4, nonlinearity)) {
                    Sum scaled = new Sum(List.of(new Sum.Part(3.7, loss.sum())));
                    SegmentationLoss other = new SegmentationLoss(scaled, 4, OptionalInt.empty());
                    float[] expected = batch.gradient(device, loss);
                    for (int i = 0; i < expected.length; i++) {
                        expected[i] *= 3.7f;
                    }
                    String what = "seed " + SEED + ": " + loss;
                    double value = 3.7 * batch.value(device, loss);
                    assertThat(batch.value(device, other))
                            .as(what)
                            .isCloseTo(value, within(1e-12 * (1 + Math.abs(value))));
                    assertClose(what, batch.gradient(device, other), expected);
                }
            }
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "dice + ce + gdl + tversky | 1",
                "dice + ce + topk(0.1) | 1",
                "dice + topk(0.1) + topk(0.05) + focal | 3",
                "dice + 0*topk(0.1) | 1",
                "topk(0.1) + dice + 2*topk(0.1) | 1",
                "bce + blob(dice) + blob(bce, mask=exclude) | 1",
                "bce + blob(dice) + blob(dice, connectivity=6) | 2",
            })
    void termsShareReadings(String text, int readings) {
        assertThat(loss(text, 4).sum().passes()).hasSize(readings);
    }

    @Test
    void aScheduleBetweenLossesWithAnEqualTermReadsItOnce() {
        Sum half = loss("schedule(topk(0.1) -> topk(0.1) + dice, linear, at=0..1)", 4)
                .sum()
                .at(Progress.ofEpoch(50, 100));
        assertThat(half).hasToString("topk + 0.5*dice");
        assertThat(half.passes()).hasSize(1);
    }

    @Test
    void nestedSumsUnfold() {
        Sum inner = new Sum(List.of(new Sum.Part(0.5, SoftDice.DEFAULT), new Sum.Part(1, CrossEntropy.DEFAULT)));
        Sum outer = new Sum(List.of(new Sum.Part(4, inner), new Sum.Part(1, SoftDice.DEFAULT)));
        assertThat(outer).hasToString("3*dice + 4*ce");
    }

    private static RegionTerm broken() {
        return new RegionTerm() {
            @Override
            public Nonlinearity nonlinearity() {
                return Nonlinearity.SOFTMAX;
            }

            @Override
            public double evaluate(Sums sums, double weight, Sums partials) {
                throw new AssertionError("evaluated");
            }
        };
    }

    @Test
    void termOfWeightZeroIsNotEvaluated() {
        Sum sum = new Sum(List.of(new Sum.Part(0, broken()), new Sum.Part(1, SoftDice.DEFAULT)));
        Batch ignored = new Batch(new Shape(1, 1, 1, 1, 2), new float[2], new byte[] {2});
        try (Device device = Device.cpu()) {
            assertThat(ignored.value(device, new SegmentationLoss(sum, 2, OptionalInt.of(2))))
                    .isEqualTo(-1);
        }
    }

    @Test
    void softmaxAndSigmoidTermsDoNotAddUp() {
        Term regions = new SoftDice(true, true, 1, Nonlinearity.SIGMOID);
        assertThatThrownBy(() -> Sum.of(CrossEntropy.DEFAULT, regions))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("SOFTMAX")
                .hasMessageContaining("SIGMOID");
    }

    @Test
    void termOfNeitherKindIsRejected() {
        Term neither = () -> Nonlinearity.SOFTMAX;
        assertThatThrownBy(() -> Sum.of(neither).passes())
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("must implement RegionTerm, VoxelTerm or TensorTerm");
    }

    /** A formula that reads a sum only for some values: the pass is repeated with all sums. */
    @EachDevice
    void sumThatWasNotForeseenIsThere(String name) {
        record Moody() implements RegionTerm {
            @Override
            public Nonlinearity nonlinearity() {
                return Nonlinearity.SOFTMAX;
            }

            @Override
            public double evaluate(Sums sums, double weight, Sums partials) {
                boolean probe = sums.get(0, 0, Kind.VOXELS) == 1;
                return probe ? 0 : weight * sums.get(0, 1, Kind.PROBABILITY);
            }
        }
        Batch batch = new Batch(new Shape(1, 1, 1, 2, 2), new float[4], new byte[2]);
        try (Device device = Devices.open(name)) {
            SegmentationLoss loss = new SegmentationLoss(Sum.of(new Moody()), 2, OptionalInt.empty());
            assertThat(batch.value(device, loss)).isCloseTo(1, within(1e-6));
        }
    }

    @Test
    void numberOfThreadsDoesNotChangeABit() {
        for (Nonlinearity nonlinearity : Nonlinearity.values()) {
            Batch batch = Batch.random(random, new Shape(2, 24, 25, 26, 3), 3, nonlinearity);
            for (SegmentationLoss loss : RandomLosses.losses(random, 3, nonlinearity)) {
                List<Double> values = new ArrayList<>();
                List<float[]> gradients = new ArrayList<>();
                for (int threads : new int[] {1, 2, 3, 7}) {
                    try (Device device = Device.cpu(threads)) {
                        values.add(batch.value(device, loss));
                        gradients.add(batch.gradient(device, loss));
                    }
                }
                assertThat(values).as("seed %d: %s", SEED, loss).containsOnly(values.getFirst());
                assertThat(gradients).allMatch(g -> Arrays.equals(g, gradients.getFirst()));
            }
        }
    }
}
