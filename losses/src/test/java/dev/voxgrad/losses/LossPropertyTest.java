package dev.voxgrad.losses;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.DataException;
import dev.voxgrad.engine.ShapeException;
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

/** What must hold for every loss, and the edge cases. */
class LossPropertyTest {
    private static final long SEED = 4711;
    private static final Shape SMALL = new Shape(2, 3, 4, 5, 4);

    private final Random random = new Random(SEED);

    private static SegmentationLoss loss(String text, int classes) {
        return (SegmentationLoss) Losses.parse(text, classes, OptionalInt.empty());
    }

    private static SegmentationLoss lossIgnoring(int label, String text, int classes) {
        return (SegmentationLoss) Losses.parse(text, classes, OptionalInt.of(label));
    }

    private Batch softmaxBatch() {
        return Batch.random(random, SMALL, 2, Nonlinearity.SOFTMAX);
    }

    @EachDevice
    void permutationOfForegroundClassesPermutesTheGradient(String name) {
        int[] to = {0, 3, 1, 2};
        Batch batch = softmaxBatch();
        float[] logits = permuted(batch.logits(), to);
        byte[] labels = batch.labels().clone();
        for (int i = 0; i < labels.length; i++) {
            labels[i] = (byte) to[labels[i]];
        }
        try (Device device = Devices.open(name)) {
            for (String text : List.of(
                    "dice + ce(smoothing=0.1, weights=[%s])", "dice(batch=true)", "dice(background=true) + 2*ce")) {
                SegmentationLoss before = loss(text.formatted("1, 2, 3, 4"), 4);
                SegmentationLoss after = loss(text.formatted("1, 3, 4, 2"), 4);
                Batch other = new Batch(SMALL, logits, labels);
                assertThat(other.value(device, after)).isCloseTo(batch.value(device, before), within(1e-6));
                assertClose(other.gradient(device, after), permuted(batch.gradient(device, before), to));
            }
        }
    }

    private static float[] permuted(float[] values, int[] to) {
        float[] moved = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            moved[i / to.length * to.length + to[i % to.length]] = values[i];
        }
        return moved;
    }

    @EachDevice
    void softmaxLossDoesNotSeeAConstantAddedToAllLogits(String name) {
        Batch batch = softmaxBatch();
        float[] shifted = batch.logits().clone();
        for (int i = 0; i < shifted.length; i++) {
            shifted[i] += 0.25f * (i / batch.classes() % 7); // another constant for each voxel
        }
        try (Device device = Devices.open(name)) {
            for (SegmentationLoss loss : RandomLosses.losses(random, batch.classes(), Nonlinearity.SOFTMAX)) {
                double value = batch.value(device, loss);
                assertThat(batch.withLogits(shifted).value(device, loss))
                        .as("seed %d: %s", SEED, loss)
                        .isCloseTo(value, within(1e-5 * (1 + Math.abs(value))));
                float[] gradient = batch.gradient(device, loss);
                assertClose(batch.withLogits(shifted).gradient(device, loss), gradient);
                float[] sums = new float[gradient.length / batch.classes()];
                for (int i = 0; i < gradient.length; i++) {
                    sums[i / batch.classes()] += gradient[i];
                }
                assertThat(largest(sums)).isLessThan(1e-5 * largest(gradient));
            }
        }
    }

    @EachDevice
    void sumOfTermsIsTheSumOfTheirValuesAndGradients(String name) {
        Batch batch = softmaxBatch();
        try (Device device = Devices.open(name)) {
            SegmentationLoss dice = loss("dice", 4);
            SegmentationLoss ce = loss("ce(smoothing=0.2)", 4);
            SegmentationLoss both = loss("0.5*dice + 3*ce(smoothing=0.2)", 4);
            assertThat(batch.value(device, both))
                    .isCloseTo(0.5 * batch.value(device, dice) + 3 * batch.value(device, ce), within(1e-12));
            float[] expected = batch.gradient(device, dice);
            float[] other = batch.gradient(device, ce);
            for (int i = 0; i < expected.length; i++) {
                expected[i] = 0.5f * expected[i] + 3 * other[i];
            }
            assertClose(batch.gradient(device, both), expected);
        }
    }

    @Test
    void nestedSumsUnfold() {
        Sum inner = new Sum(List.of(new Sum.Part(0.5, SoftDice.DEFAULT), new Sum.Part(1, CrossEntropy.DEFAULT)));
        Sum outer = new Sum(List.of(new Sum.Part(4, inner), new Sum.Part(1, SoftDice.DEFAULT)));
        assertThat(outer).hasToString("2*dice + 4*ce + dice");
    }

    @Test
    void termOfWeightZeroIsNotEvaluated() {
        Term broken = new RegionTerm() {
            @Override
            public Nonlinearity nonlinearity() {
                return Nonlinearity.SOFTMAX;
            }

            @Override
            public double evaluate(Sums sums, double weight, Sums partials) {
                throw new AssertionError("evaluated");
            }
        };
        Sum sum = new Sum(List.of(new Sum.Part(0, broken), new Sum.Part(1, SoftDice.DEFAULT)));
        Batch empty = new Batch(new Shape(1, 1, 1, 1, 2), new float[2], new byte[] {2});
        try (Device device = Device.cpu()) {
            assertThat(empty.value(device, new SegmentationLoss(sum, 2, OptionalInt.of(2)))).isEqualTo(-1);
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

    @EachDevice
    void logitsOf80AreFinite(String name) {
        try (Device device = Devices.open(name)) {
            for (Nonlinearity nonlinearity : Nonlinearity.values()) {
                Batch batch = Batch.random(random, SMALL, 1, nonlinearity);
                float[] logits = batch.logits().clone();
                for (int i = 0; i < logits.length; i++) {
                    logits[i] = Math.copySign(80, logits[i]);
                }
                for (SegmentationLoss loss : RandomLosses.losses(random, 4, nonlinearity)) {
                    assertThat(batch.withLogits(logits).value(device, loss)).isFinite();
                    assertThat(largest(batch.withLogits(logits).gradient(device, loss)))
                            .isFinite();
                }
            }
        }
    }

    @EachDevice
    void onlyIgnoredVoxelsGiveNoGradient(String name) {
        Batch batch = softmaxBatch();
        byte[] ignored = new byte[batch.labels().length];
        Arrays.fill(ignored, (byte) 255);
        try (Device device = Devices.open(name)) {
            for (String text : List.of("ce", "ce(smoothing=0.1)", "dice", "dice(smooth=0)", "dice + ce")) {
                SegmentationLoss loss = lossIgnoring(255, text, 4);
                double expected = text.equals("dice") || text.equals("dice + ce") ? -1 : 0;
                assertThat(batch.withLabels(ignored).value(device, loss))
                        .as(text)
                        .isEqualTo(expected);
                assertThat(batch.withLabels(ignored).gradient(device, loss)).containsOnly(0f);
            }
        }
    }

    @EachDevice
    void emptyForegroundHasDiceNearZero(String name) {
        Batch batch = softmaxBatch();
        byte[] background = new byte[batch.labels().length];
        try (Device device = Devices.open(name)) {
            assertThat(batch.withLabels(background).value(device, loss("dice", 4)))
                    .isBetween(-1e-5, -1e-8);
            assertThat(batch.withLabels(background).value(device, loss("dice(smooth=0)", 4)))
                    .isZero();
            assertThat(batch.withLabels(background).gradient(device, loss("dice(smooth=0)", 4)))
                    .containsOnly(0f);
            assertThat(batch.withLabels(background).value(device, loss("ce", 4)))
                    .isPositive();
        }
    }

    @EachDevice
    void singleVoxelMatchesTheFormula(String name) {
        Batch batch = new Batch(new Shape(1, 1, 1, 1, 2), new float[] {0.5f, -1}, new byte[] {1});
        double p = 1 / (1 + Math.exp(1.5));
        try (Device device = Devices.open(name)) {
            assertThat(batch.value(device, loss("ce", 2))).isCloseTo(-Math.log(p), within(1e-6));
            assertThat(batch.value(device, loss("dice(smooth=1)", 2))).isCloseTo(-(2 * p + 1) / (p + 2), within(1e-6));
            assertClose(batch.gradient(device, loss("ce", 2)), new float[] {(float) (1 - p), (float) (p - 1)});
        }
    }

    @EachDevice
    void nanInAVoxelThatCountsMakesTheValueNan(String name) {
        try (Device device = Devices.open(name)) {
            for (Nonlinearity nonlinearity : Nonlinearity.values()) {
                Batch batch = Batch.random(random, SMALL, 1, nonlinearity);
                float[] logits = batch.logits().clone();
                logits[17] = Float.NaN;
                for (SegmentationLoss loss : RandomLosses.losses(random, 4, nonlinearity)) {
                    assertThat(batch.withLogits(logits).value(device, loss))
                            .as("seed %d: %s", SEED, loss)
                            .isNaN();
                }
            }
        }
    }

    @EachDevice
    void nanUnderTheIgnoreLabelDoesNotLeak(String name) {
        Batch random = softmaxBatch();
        byte[] labels = random.labels().clone();
        labels[4] = 4;
        labels[77] = 4;
        float[] logits = random.logits().clone();
        logits[4 * 4 + 1] = Float.NaN;
        logits[77 * 4] = Float.POSITIVE_INFINITY;
        Batch clean = random.withLabels(labels);
        Batch dirty = clean.withLogits(logits);
        try (Device device = Devices.open(name)) {
            SegmentationLoss loss = lossIgnoring(4, "dice + ce(smoothing=0.1)", 4);
            assertThat(dirty.value(device, loss)).isEqualTo(clean.value(device, loss));
            float[] gradient = dirty.gradient(device, loss);
            assertThat(gradient).isEqualTo(clean.gradient(device, loss));
            assertThat(Arrays.copyOfRange(gradient, 16, 20)).containsOnly(0f);
            assertThat(Arrays.copyOfRange(gradient, 308, 312)).containsOnly(0f);
        }
    }

    @EachDevice
    void labelThatIsNoClassFailsWithItsValueAndCount(String name) {
        Batch batch = softmaxBatch();
        byte[] labels = batch.labels().clone();
        labels[5] = (byte) 200;
        labels[60] = 9;
        labels[61] = 4;
        try (Device device = Devices.open(name)) {
            assertThatThrownBy(() -> batch.withLabels(labels).gradient(device, lossIgnoring(4, "dice + ce", 4)))
                    .isInstanceOf(DataException.class)
                    .hasMessageContaining("2 voxels")
                    .hasMessageContaining("200");
        }
    }

    @EachDevice
    void logitsWithOtherChannelsAreRejected(String name) {
        Batch batch = softmaxBatch();
        try (Device device = Devices.open(name)) {
            assertThatThrownBy(() -> batch.gradient(device, loss("dice + ce", 3)))
                    .isInstanceOf(ShapeException.class)
                    .hasMessageContaining("3 classes");
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

    private static double largest(float[] values) {
        double largest = 0;
        for (float v : values) {
            largest = Math.max(largest, Math.abs(v));
        }
        return largest;
    }

    /** Equal to the rounding of float32 sums. */
    private static void assertClose(float[] actual, float[] expected) {
        assertThat(actual).hasSameSizeAs(expected);
        double limit = 1e-5 * largest(expected);
        for (int i = 0; i < actual.length; i++) {
            assertThat((double) actual[i]).as("element %d", i).isCloseTo(expected[i], within(limit));
        }
    }
}
