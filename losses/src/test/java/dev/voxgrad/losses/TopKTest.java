package dev.voxgrad.losses;

import static dev.voxgrad.losses.Numbers.assertClose;
import static dev.voxgrad.losses.Numbers.loss;
import static dev.voxgrad.losses.Numbers.lossIgnoring;
import static org.assertj.core.api.Assertions.assertThat;

import dev.voxgrad.engine.op.SegLoss.Nonlinearity;
import dev.voxgrad.engine.tensor.Device;
import dev.voxgrad.engine.tensor.Shape;
import dev.voxgrad.golden.Devices;
import dev.voxgrad.golden.EachDevice;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The rules of the selection. */
class TopKTest {
    private static final Shape SHAPE = new Shape(3, 2, 5, 7, 3);
    private static final int VOXELS = 70;
    private static final int IGNORE = 9;

    private final Random random = new Random(4714);

    /** Sample 0 whole, sample 1 half ignored, sample 2 ignored. */
    private Batch batch() {
        Batch all = Batch.random(random, SHAPE, 2, Nonlinearity.SOFTMAX);
        byte[] labels = all.labels().clone();
        for (int i = VOXELS; i < labels.length; i++) {
            labels[i] = i >= 2 * VOXELS || i % 2 == 0 ? IGNORE : labels[i];
        }
        return all.withLabels(labels);
    }

    /** Cross entropies of one sample that count, largest first. */
    private static double[] sorted(Batch batch, int sample) {
        double[] losses = IntStream.range(sample * VOXELS, (sample + 1) * VOXELS)
                .filter(v -> batch.labels()[v] != IGNORE)
                .mapToDouble(v -> {
                    double sum = 0;
                    for (int c = 0; c < 3; c++) {
                        sum += Math.exp(batch.logits()[3 * v + c]);
                    }
                    return Math.log(sum) - batch.logits()[3 * v + batch.labels()[v]];
                })
                .sorted()
                .toArray();
        return IntStream.range(0, losses.length)
                .mapToDouble(i -> losses[losses.length - 1 - i])
                .toArray();
    }

    private static double meanOfFirst(double[] values, int count) {
        return Arrays.stream(values).limit(count).sum() / count;
    }

    @EachDevice
    void shareIsOfTheVoxelsThatCount(String name) {
        Batch batch = batch();
        double[] first = sorted(batch, 0);
        double[] second = sorted(batch, 1);
        double[] all = new double[105];
        System.arraycopy(first, 0, all, 0, 70);
        System.arraycopy(second, 0, all, 70, 35);
        Arrays.sort(all);
        double[] descending =
                IntStream.range(0, 105).mapToDouble(i -> all[104 - i]).toArray();
        try (Device device = Devices.open(name)) {
            assertClose(
                    "batch", batch.value(device, lossIgnoring(IGNORE, "topk(0.2)", 3)), meanOfFirst(descending, 21));
            assertClose(
                    "sample",
                    batch.value(device, lossIgnoring(IGNORE, "topk(0.2, per=sample)", 3)),
                    (meanOfFirst(first, 14) + meanOfFirst(second, 7)) / 2);
            assertClose(
                    "all voxels, as the reference counts",
                    batch.value(device, lossIgnoring(IGNORE, "topk(0.2, reference=true)", 3)),
                    meanOfFirst(descending, 42));
            assertClose(
                    "everything is cross entropy",
                    batch.value(device, lossIgnoring(IGNORE, "topk(1)", 3)),
                    batch.value(device, lossIgnoring(IGNORE, "ce", 3)));
        }
    }

    @EachDevice
    void tiesGoToTheFirstOrAreShared(String name) {
        Batch equal = new Batch(new Shape(1, 1, 1, 10, 2), new float[20], new byte[10]);
        try (Device device = Devices.open(name)) {
            float[] first = equal.gradient(device, loss("topk(0.3)", 2));
            float[] shared = equal.gradient(device, loss("topk(0.3, ties=shared)", 2));
            for (int v = 0; v < 10; v++) {
                assertThat(first[2 * v + 1]).as("voxel %d", v).isEqualTo(v < 3 ? 0.5f / 3 : 0);
                assertThat((double) shared[2 * v + 1]).as("voxel %d", v).isBetween(0.05 - 1e-7, 0.05 + 1e-7);
            }
            assertClose("value", equal.value(device, loss("topk(0.3, ties=shared)", 2)), Math.log(2));
        }
    }

    /** The product is rounded as nnU-Net rounds it. */
    @ParameterizedTest
    @CsvSource({
        "0.1, 1120, 112",
        "0.1, 9, 1",
        "0.33, 324, 106",
        "0.29, 100, 29",
        "0.07, 100, 7",
        "1, 17, 17",
        "0.001, 5, 1",
        "0.5, 0, 0"
    })
    void countOfAShare(double share, long voxels, long count) {
        TopK standard = TopK.DEFAULT;
        TopK term = new TopK(share, standard.weights(), 0, standard.per(), standard.ties(), standard.reference());
        assertThat(term.selected(voxels)).isEqualTo(count);
    }
}
