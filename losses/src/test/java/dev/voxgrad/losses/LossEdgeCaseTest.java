package dev.voxgrad.losses;

import static dev.voxgrad.losses.Numbers.assertClose;
import static dev.voxgrad.losses.Numbers.largest;
import static dev.voxgrad.losses.Numbers.loss;
import static dev.voxgrad.losses.Numbers.lossIgnoring;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.DataException;
import dev.voxgrad.engine.ShapeException;
import dev.voxgrad.engine.op.SegLoss.Nonlinearity;
import dev.voxgrad.engine.tensor.Device;
import dev.voxgrad.engine.tensor.Shape;
import dev.voxgrad.golden.Devices;
import dev.voxgrad.golden.EachDevice;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a loss is where its formula has a corner, and what is refused. */
class LossEdgeCaseTest {
    private static final long SEED = 4713;
    private static final Shape SMALL = new Shape(2, 3, 4, 5, 4);

    private final Random random = new Random(SEED);

    private Batch softmaxBatch() {
        return Batch.random(random, SMALL, 2, Nonlinearity.SOFTMAX);
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
                    String what = "seed " + SEED + ": " + loss;
                    assertThat(batch.withLogits(logits).value(device, loss))
                            .as(what)
                            .isFinite();
                    assertThat(largest(batch.withLogits(logits).gradient(device, loss)))
                            .as(what)
                            .isFinite();
                }
            }
        }
    }

    /** Value of each loss when nothing counts; the gradient is 0. */
    private static final Map<String, Double> NOTHING_COUNTS = Map.ofEntries(
            Map.entry("ce", 0.0),
            Map.entry("ce(smoothing=0.1, weights=[1, 2, 3, 4])", 0.0),
            Map.entry("dice", -1.0),
            Map.entry("dice(batch=true, background=true)", -1.0),
            Map.entry("dice(smooth=0)", 0.0),
            Map.entry("dice + ce", -1.0),
            Map.entry("monai_dice", 0.0),
            Map.entry("gdl", 0.0),
            Map.entry("gdl(batch=true, weighting=simple, background=false)", 0.0),
            Map.entry("wdice(weights=[1, 2, 3, 4])", 0.0),
            Map.entry("tversky", 0.0),
            Map.entry("topk(0.1)", 0.0),
            Map.entry("topk(0.1, per=sample, ties=shared)", 0.0),
            Map.entry("topk(0.1, reference=true, smoothing=0.1)", 0.0),
            Map.entry("focal", 0.0),
            Map.entry("bce", 0.0),
            Map.entry("bce(reduction=voxel)", 0.0),
            Map.entry("blob(monai_dice + bce)", 0.0),
            Map.entry("blob(dice + bce)", -0.66));

    @EachDevice
    void nothingThatCountsGivesNoGradient(String name) {
        Batch batch = softmaxBatch();
        byte[] ignored = new byte[batch.voxels()];
        Arrays.fill(ignored, (byte) 255);
        float[] logits = batch.logits().clone();
        logits[3] = Float.NaN;
        Batch none = batch.withLabels(ignored).withLogits(logits);
        try (Device device = Devices.open(name)) {
            NOTHING_COUNTS.forEach((text, expected) -> {
                SegmentationLoss loss = lossIgnoring(255, text, 4);
                assertThat(none.value(device, loss)).as(text).isCloseTo(expected, within(1e-15));
                assertThat(none.gradient(device, loss)).as(text).containsOnly(0f);
            });
        }
    }

    @EachDevice
    void emptyForegroundHasDiceNearZero(String name) {
        Batch batch = softmaxBatch().withLabels(new byte[120]);
        try (Device device = Devices.open(name)) {
            assertThat(batch.value(device, loss("dice", 4))).isBetween(-1e-5, -1e-8);
            assertThat(batch.value(device, loss("dice(smooth=0)", 4))).isZero();
            assertThat(batch.gradient(device, loss("dice(smooth=0)", 4))).containsOnly(0f);
            assertThat(batch.value(device, loss("monai_dice(background=false)", 4)))
                    .isBetween(1 - 1e-5, 1 - 1e-8);
            assertThat(batch.value(device, loss("ce", 4))).isPositive();
            assertThat(batch.value(device, loss("gdl(background=false)", 4))).isZero();
            assertThat(batch.gradient(device, loss("gdl(background=false)", 4))).containsOnly(0f);
        }
    }

    /** Sigmoid without a foreground voxel: blob loss is its main part. */
    @EachDevice
    void blobLossWithoutComponentsIsItsMainPart(String name) {
        Batch batch = Batch.random(random, SMALL, 2, Nonlinearity.SIGMOID).withLabels(new byte[480]);
        try (Device device = Devices.open(name)) {
            SegmentationLoss blob = loss("blob(dice + bce)", 4);
            SegmentationLoss main = loss("0.66*dice + 0.66*bce", 4);
            assertClose("value", batch.value(device, blob), batch.value(device, main));
            assertClose("gradient", batch.gradient(device, blob), batch.gradient(device, main));
        }
    }

    /** Class 2 does not occur; p of every voxel is 1/2, 1/4, 1/4. */
    @EachDevice
    void absentClassFollowsTheFormula(String name) {
        float log2 = (float) Math.log(2);
        float[] logits = new float[12];
        for (int v = 0; v < 4; v++) {
            logits[3 * v] = log2;
        }
        Batch batch = new Batch(new Shape(1, 1, 1, 4, 3), logits, new byte[] {0, 0, 0, 1});
        double s = 1e-5;
        double dice1 = (2 * 0.25 + s) / (1 + 1 + s);
        double dice2 = s / (1 + s);
        double[] w = {1.0 / 9, 1, 1}; // generalized Dice: the absent class weighs like the rarest one
        double numerator = 2 * (w[0] * 1.5 + w[1] * 0.25) + s;
        double denominator = w[0] * (2 + 3) + w[1] * (1 + 1) + w[2] * 1 + s;
        double v1 = 1 / (1 + 1e-6);
        double v2 = 1 / 1e-6;
        double v0 = 1 / (3 + 1e-6);
        double nnunet = (2 * (v0 * 1.5 + v1 * 0.25) + s) / (v0 * 5 + v1 * 2 + v2 * 1 + s);
        Map<String, Double> expected = Map.of(
                "ce",
                (3 * Math.log(2) + Math.log(4)) / 4,
                "dice",
                -(dice1 + dice2) / 2,
                "monai_dice(background=false)",
                1 - (dice1 + dice2) / 2,
                "gdl",
                1 - numerator / denominator,
                "gdl(nnunet_v1=true)",
                -nnunet,
                "topk(0.25)",
                Math.log(4),
                "topk(0.5)",
                (Math.log(4) + Math.log(2)) / 2,
                "wdice(weights=[1, 2, 0])",
                1 - ((3 + s) / (5 + s) + 2 * dice1) / 3,
                "wdice(weights=[1, 2, 0], normalized=false)",
                (1 - (3 + s) / (5 + s) + 2 * (1 - dice1)) / 3,
                "focal(gamma=1)",
                (3 * 0.5 * Math.log(2) + 0.75 * Math.log(4)) / 4);
        try (Device device = Devices.open(name)) {
            expected.forEach((text, value) -> assertClose(text, batch.value(device, loss(text, 3)), value));
        }
    }

    @EachDevice
    void singleVoxelMatchesTheFormula(String name) {
        Batch batch = new Batch(new Shape(1, 1, 1, 1, 2), new float[] {0.5f, -1}, new byte[] {1});
        double p = 1 / (1 + Math.exp(1.5));
        try (Device device = Devices.open(name)) {
            for (String text : List.of("ce", "topk(0.1)", "topk(0.1, per=sample)", "focal(gamma=0)")) {
                assertClose(text, batch.value(device, loss(text, 2)), -Math.log(p));
                assertClose(
                        text, batch.gradient(device, loss(text, 2)), new float[] {(float) (1 - p), (float) (p - 1)});
            }
            assertClose("dice", batch.value(device, loss("dice(smooth=1)", 2)), -(2 * p + 1) / (p + 2));
            assertClose("gdl", batch.value(device, loss("gdl", 2)), 1 - (2 * p + 1e-5) / (2 + 1e-5));
            Batch region = new Batch(new Shape(1, 1, 1, 1, 1), new float[] {-1.5f}, new byte[] {1});
            double both = -Math.log(p) + 1 - (2 * p + 1e-5) / (p + 1 + 1e-5);
            assertClose("blob", region.value(device, loss("blob(monai_dice + bce)", 1)), (0.66 + 0.33) * both);
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
        Batch batch = softmaxBatch();
        byte[] labels = batch.labels().clone();
        labels[4] = 5;
        labels[77] = 5;
        float[] logits = batch.logits().clone();
        logits[4 * 4 + 1] = Float.NaN;
        logits[77 * 4] = Float.POSITIVE_INFINITY;
        Batch clean = batch.withLabels(labels);
        Batch dirty = clean.withLogits(logits);
        List<String> texts =
                List.of("dice + ce(smoothing=0.1)", "topk(0.2) + focal", "gdl + tversky", "blob(dice + bce) + bce");
        try (Device device = Devices.open(name)) {
            for (String text : texts) {
                SegmentationLoss loss = lossIgnoring(5, text, 4);
                assertThat(dirty.value(device, loss)).as(text).isEqualTo(clean.value(device, loss));
                float[] gradient = dirty.gradient(device, loss);
                assertThat(gradient).as(text).isEqualTo(clean.gradient(device, loss));
                assertThat(Arrays.copyOfRange(gradient, 16, 20)).containsOnly(0f);
                assertThat(Arrays.copyOfRange(gradient, 308, 312)).containsOnly(0f);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"dice + ce", "topk(0.1)", "bce", "blob(dice)"})
    void labelThatIsNoClassFailsWithItsValueAndCount(String text) {
        Batch batch = softmaxBatch();
        byte[] labels = batch.labels().clone();
        labels[5] = (byte) 200;
        labels[60] = 9;
        labels[61] = 5;
        try (Device device = Device.cpu()) {
            assertThatThrownBy(() -> batch.withLabels(labels).gradient(device, lossIgnoring(5, text, 4)))
                    .isInstanceOf(DataException.class)
                    .hasMessageContaining("2 voxels")
                    .hasMessageContaining("200");
        }
    }

    @Test
    void theIgnoreLabelIsNamedOnlyWhereThereIsOne() {
        Batch batch = softmaxBatch();
        byte[] labels = batch.labels().clone();
        labels[5] = (byte) 200;
        try (Device device = Device.cpu()) {
            assertThatThrownBy(() -> batch.withLabels(labels).value(device, loss("dice", 4)))
                    .hasMessageContaining("1 voxel has a label that is not a class (0 to 3): 200;");
            assertThatThrownBy(() -> batch.withLabels(labels).value(device, lossIgnoring(9, "dice", 4)))
                    .hasMessageContaining("is neither a class (0 to 3) nor the ignore label 9: 200;");
        }
    }

    @EachDevice
    void targetThatIsNeither0Nor1Fails(String name) {
        Batch batch = Batch.random(random, SMALL, 1, Nonlinearity.SIGMOID);
        byte[] targets = batch.labels().clone();
        targets[9] = 3;
        try (Device device = Devices.open(name)) {
            for (String text : List.of("bce + dice", "blob(dice)")) {
                assertThatThrownBy(() -> batch.withLabels(targets).value(device, loss(text, 4)))
                        .isInstanceOf(DataException.class)
                        .hasMessageContaining("1 voxel has")
                        .hasMessageContaining("neither 0 nor 1");
            }
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
    void softmaxOfOneClassAndEmptyBatchesAreRejected() {
        Losses.factories().forEach((name, factory) -> {
            if (!factory.sigmoidOnly() && !name.equals("schedule")) {
                LossContext one = LossContext.of(1).withCounts(LabelCounts.equal(1));
                assertThatThrownBy(() -> Losses.parse(name, one)).as(name).isInstanceOf(ConfigException.class);
            }
        });
        assertThatThrownBy(() -> new Shape(0, 1, 2, 2, 2)).isInstanceOf(ShapeException.class);
        assertThatThrownBy(() -> new Shape(1, 1, 0, 2, 2)).isInstanceOf(ShapeException.class);
    }
}
