package dev.voxgrad.losses;

import static dev.voxgrad.losses.Numbers.assertClose;
import static dev.voxgrad.losses.Numbers.largest;
import static dev.voxgrad.losses.Numbers.loss;
import static org.assertj.core.api.Assertions.assertThat;

import dev.voxgrad.engine.op.SegLoss.Nonlinearity;
import dev.voxgrad.engine.tensor.Device;
import dev.voxgrad.engine.tensor.Shape;
import dev.voxgrad.golden.Devices;
import dev.voxgrad.golden.EachDevice;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;

/** Changes of the input that must not change a loss, or change its gradient in the same way. */
class LossSymmetryTest {
    private static final long SEED = 4711;
    private static final Shape SMALL = new Shape(2, 3, 4, 5, 4);

    private final Random random = new Random(SEED);

    private Batch batch(Nonlinearity nonlinearity) {
        return Batch.random(random, SMALL, 2, nonlinearity);
    }

    @EachDevice
    void permutationOfForegroundClassesPermutesTheGradient(String name) {
        int[] to = {0, 3, 1, 2};
        Batch batch = batch(Nonlinearity.SOFTMAX);
        byte[] labels = batch.labels().clone();
        for (int i = 0; i < labels.length; i++) {
            labels[i] = (byte) to[labels[i]];
        }
        Batch permuted = new Batch(SMALL, permuted(batch.logits(), to), labels);
        List<String> texts = List.of(
                "dice + ce(smoothing=0.1, weights=[%s])",
                "dice(batch=true)",
                "dice(background=true) + 2*ce",
                "monai_dice(weights=[%s]) + gdl",
                "gdl(batch=true, background=false, weighting=simple)",
                "wdice(weights=[%s])",
                "tversky + focal",
                "topk(0.3, weights=[%s], smoothing=0.1)",
                "topk(0.2, per=sample) + dice");
        try (Device device = Devices.open(name)) {
            assertPermuted(device, batch, permuted, to, texts, "1, 3, 4, 2");
        }
    }

    @EachDevice
    void permutationOfChannelsPermutesTheGradient(String name) {
        int[] to = {2, 3, 1, 0};
        Batch batch = batch(Nonlinearity.SIGMOID);
        byte[] targets = batch.labels().clone();
        for (int i = 0; i < targets.length; i++) {
            targets[i / 4 * 4 + to[i % 4]] = batch.labels()[i];
        }
        Batch permuted = new Batch(SMALL, permuted(batch.logits(), to), targets);
        List<String> texts = List.of(
                "dice + bce(pos_weight=[%s])",
                "blob(monai_dice(weights=[%s]) + bce(pos_weight=[%s]))",
                "blob(dice + bce(reduction=voxel), mask=exclude) + tversky");
        try (Device device = Devices.open(name)) {
            assertPermuted(device, batch, permuted, to, texts, "4, 3, 1, 2");
        }
    }

    /** Texts with the weights 1, 2, 3, 4 before, and with others after. */
    private static void assertPermuted(
            Device device, Batch before, Batch after, int[] to, List<String> texts, String weights) {
        for (String text : texts) {
            SegmentationLoss lossBefore = loss(text.replace("%s", "1, 2, 3, 4"), 4);
            SegmentationLoss lossAfter = loss(text.replace("%s", weights), 4);
            assertClose(text, after.value(device, lossAfter), before.value(device, lossBefore));
            assertClose(text, after.gradient(device, lossAfter), permuted(before.gradient(device, lossBefore), to));
        }
    }

    private static float[] permuted(float[] values, int... to) {
        float[] moved = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            moved[i / to.length * to.length + to[i % to.length]] = values[i];
        }
        return moved;
    }

    @EachDevice
    void flipOfTheVolumeFlipsTheGradient(String name) {
        try (Device device = Devices.open(name)) {
            for (Nonlinearity nonlinearity : Nonlinearity.values()) {
                Batch batch = batch(nonlinearity);
                for (int axes = 1; axes < 8; axes++) {
                    int[] to = flipped(axes);
                    for (SegmentationLoss loss : RandomLosses.losses(random, 4, nonlinearity)) {
                        assertMoved(device, loss, batch, batch.moved(to), to);
                    }
                }
            }
        }
    }

    /** Where each voxel goes: bit 0 mirrors z, bit 1 y, bit 2 x. */
    private static int[] flipped(int axes) {
        int d = (int) SMALL.d();
        int h = (int) SMALL.h();
        int w = (int) SMALL.w();
        return IntStream.range(0, (int) (SMALL.n() * SMALL.voxels()))
                .map(i -> {
                    int x = i % w;
                    int y = i / w % h;
                    int z = i / w / h % d;
                    int sample = i / w / h / d;
                    x = (axes & 4) != 0 ? w - 1 - x : x;
                    y = (axes & 2) != 0 ? h - 1 - y : y;
                    z = (axes & 1) != 0 ? d - 1 - z : z;
                    return ((sample * d + z) * h + y) * w + x;
                })
                .toArray();
    }

    private static void assertMoved(Device device, SegmentationLoss loss, Batch batch, Batch moved, int... to) {
        String what = "seed " + SEED + ": " + loss;
        assertClose(what, moved.value(device, loss), batch.value(device, loss));
        assertClose(what, moved.gradient(device, loss), Batch.moved(batch.gradient(device, loss), to));
    }

    /** The volume inside a larger one, the rest masked: where it lies makes no difference. */
    @EachDevice
    void shiftOfTheVolumeShiftsTheGradient(String name) {
        try (Device device = Devices.open(name)) {
            for (Nonlinearity nonlinearity : Nonlinearity.values()) {
                Batch batch = batch(nonlinearity);
                for (SegmentationLoss loss : RandomLosses.losses(random, 4, nonlinearity)) {
                    Batch one = inLarger(batch, 0, 0, 0);
                    Batch other = inLarger(batch, 2, 1, 3);
                    String what = "seed " + SEED + ": " + loss;
                    assertClose(what, other.value(device, loss), one.value(device, loss));
                    if (!loss.toString().contains("reference=true")) {
                        assertClose(what, one.value(device, loss), batch.value(device, loss));
                    }
                    assertClose(
                            what, cut(other.gradient(device, loss), 2, 1, 3), cut(one.gradient(device, loss), 0, 0, 0));
                }
            }
        }
    }

    private static final Shape LARGER = new Shape(2, 5, 6, 9, 4);

    private static Batch inLarger(Batch batch, int z, int y, int x) {
        int[] to = positions(z, y, x);
        int voxels = (int) (LARGER.n() * LARGER.voxels());
        float[] logits = new float[voxels * 4];
        Arrays.fill(logits, Float.NaN); // under the mask
        int perVoxel = batch.labels().length / to.length;
        byte[] labels = new byte[voxels * perVoxel];
        Arrays.fill(labels, (byte) 1);
        byte[] mask = new byte[voxels];
        for (int i = 0; i < to.length; i++) {
            System.arraycopy(batch.logits(), i * 4, logits, to[i] * 4, 4);
            System.arraycopy(batch.labels(), i * perVoxel, labels, to[i] * perVoxel, perVoxel);
            mask[to[i]] = 1;
        }
        return new Batch(LARGER, logits, labels).withMask(mask);
    }

    private static float[] cut(float[] gradient, int z, int y, int x) {
        int[] from = positions(z, y, x);
        float[] inner = new float[from.length * 4];
        for (int i = 0; i < from.length; i++) {
            System.arraycopy(gradient, from[i] * 4, inner, i * 4, 4);
            Arrays.fill(gradient, from[i] * 4, from[i] * 4 + 4, 0);
        }
        assertThat(largest(gradient)).as("gradient under the mask").isZero();
        return inner;
    }

    private static int[] positions(int z, int y, int x) {
        return IntStream.range(0, (int) (SMALL.n() * SMALL.voxels()))
                .map(i -> {
                    long inX = i % SMALL.w() + x;
                    long inY = i / SMALL.w() % SMALL.h() + y;
                    long inZ = i / SMALL.w() / SMALL.h() % SMALL.d() + z;
                    long sample = i / SMALL.voxels();
                    return (int) (((sample * LARGER.d() + inZ) * LARGER.h() + inY) * LARGER.w() + inX);
                })
                .toArray();
    }

    @EachDevice
    void softmaxLossDoesNotSeeAConstantAddedToAllLogits(String name) {
        Batch batch = batch(Nonlinearity.SOFTMAX);
        float[] shifted = batch.logits().clone();
        for (int i = 0; i < shifted.length; i++) {
            shifted[i] += 0.25f * (i / batch.classes() % 7); // another constant for each voxel
        }
        try (Device device = Devices.open(name)) {
            for (SegmentationLoss loss : RandomLosses.losses(random, batch.classes(), Nonlinearity.SOFTMAX)) {
                String what = "seed " + SEED + ": " + loss;
                assertClose(what, batch.withLogits(shifted).value(device, loss), batch.value(device, loss));
                float[] gradient = batch.gradient(device, loss);
                assertClose(what, batch.withLogits(shifted).gradient(device, loss), gradient);
                float[] sums = new float[gradient.length / batch.classes()];
                for (int i = 0; i < gradient.length; i++) {
                    sums[i / batch.classes()] += gradient[i];
                }
                assertThat(largest(sums)).as(what).isLessThan(1e-5 * largest(gradient));
            }
        }
    }
}
