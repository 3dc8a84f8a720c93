package dev.voxgrad.losses;

import static dev.voxgrad.losses.Numbers.assertClose;
import static dev.voxgrad.losses.Numbers.loss;
import static dev.voxgrad.losses.Numbers.lossIgnoring;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.tensor.Device;
import dev.voxgrad.engine.tensor.Shape;
import dev.voxgrad.golden.Devices;
import dev.voxgrad.golden.EachDevice;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Blob loss around any terms, against one evaluation per component. */
class BlobTest {
    private static final Shape ROW = new Shape(1, 1, 1, 12, 1);
    private static final byte[] THREE = {1, 1, 0, 0, 1, 0, 1, 1, 1, 0, 0, 0};
    private static final List<int[]> COMPONENTS = List.of(new int[] {0, 1}, new int[] {4}, new int[] {6, 7, 8});

    private static final List<String> INNER = List.of(
            "monai_dice + bce",
            "monai_dice(squared=true, jaccard=true, weights=[3]) + 2*bce(pos_weight=[4], reduction=voxel)",
            "dice + gdl + tversky",
            "gdl(nnunet_v1=true) + bce(reduction=sum)");

    private final Random random = new Random(4715);

    private float[] logits(int length) {
        float[] values = new float[length];
        for (int i = 0; i < length; i++) {
            values[i] = (float) (2 * random.nextGaussian());
        }
        return values;
    }

    /** What the method's loop does: the other components get logit 0, or p = 0, or leave, and one term is evaluated per component. */
    @EachDevice
    void isTheMeanOverComponentsOfTheInnerLoss(String name) {
        float[] logits = logits(12);
        Batch batch = new Batch(ROW, logits, THREE);
        try (Device device = Devices.open(name)) {
            for (String inner : INNER) {
                for (String mask : List.of("zero_logit", "exclude")) {
                    double mean = 0;
                    float[] gradient = new float[12];
                    for (int[] component : COMPONENTS) {
                        Batch one = only(batch, component, mask.equals("exclude"));
                        SegmentationLoss loss = sigmoid(inner);
                        mean += one.value(device, loss) / 3;
                        float[] part = one.gradient(device, loss);
                        for (int v = 0; v < 12; v++) {
                            gradient[v] += THREE[v] == 0 || contains(component, v) ? part[v] / 3 : 0;
                        }
                    }
                    String text = "blob(" + inner + ", alpha=0, beta=1, mask=" + mask + ")";
                    assertClose(text, batch.value(device, loss(text, 1)), mean);
                    assertClose(text, batch.gradient(device, loss(text, 1)), gradient);
                }
            }
        }
    }

    private static SegmentationLoss sigmoid(String inner) {
        return loss(inner.contains("bce") ? inner : inner + " + 0*bce", 1);
    }

    private static Batch only(Batch batch, int[] component, boolean exclude) {
        float[] logits = batch.logits().clone();
        byte[] labels = new byte[logits.length];
        byte[] mask = new byte[logits.length];
        for (int v = 0; v < logits.length; v++) {
            boolean other = THREE[v] == 1 && !contains(component, v);
            labels[v] = (byte) (contains(component, v) ? 1 : 0);
            logits[v] = other ? 0 : logits[v];
            mask[v] = (byte) (other && exclude ? 0 : 1);
        }
        return new Batch(batch.shape(), logits, labels).withMask(mask);
    }

    private static boolean contains(int[] component, int voxel) {
        for (int v : component) {
            if (v == voxel) {
                return true;
            }
        }
        return false;
    }

    /** Pairs of sample and channel without components do not enter the mean; alpha and beta always apply. */
    @EachDevice
    void emptyPairsAreNotInTheMean(String name) {
        Shape shape = new Shape(2, 1, 1, 12, 2);
        float[] logits = logits(48);
        byte[] targets = new byte[48];
        float[] channel = new float[12];
        for (int v = 0; v < 12; v++) {
            targets[24 + 2 * v] = THREE[v]; // sample 1, channel 0 alone has components
            channel[v] = logits[24 + 2 * v];
        }
        try (Device device = Devices.open(name)) {
            String text = "blob(monai_dice + bce, alpha=0, beta=5)";
            double alone = new Batch(ROW, channel, THREE).value(device, loss(text, 1));
            assertClose(text, new Batch(shape, logits, targets).value(device, loss(text, 2)), alone);
            assertThat(alone).isGreaterThan(1);
        }
    }

    @EachDevice
    void ignoredVoxelsSplitComponentsAndCountNowhere(String name) {
        byte[] labels = {1, 2, 1, 0, 2, 1};
        byte[] mask = {1, 0, 1, 1, 0, 1};
        Shape shape = new Shape(1, 1, 1, 6, 1);
        float[] logits = logits(6);
        try (Device device = Devices.open(name)) {
            String text = "blob(monai_dice + bce, mask=zero_prob)";
            Batch ignoring = new Batch(shape, logits, labels);
            Batch masked = new Batch(shape, logits, new byte[] {1, 1, 1, 0, 1, 1}).withMask(mask);
            assertThat(ignoring.value(device, lossIgnoring(2, text, 1))).isEqualTo(masked.value(device, loss(text, 1)));
            assertThat(ignoring.gradient(device, lossIgnoring(2, text, 1)))
                    .isEqualTo(masked.gradient(device, loss(text, 1)));
            Batch joined = new Batch(shape, logits, new byte[] {1, 1, 1, 0, 1, 1});
            assertThat(joined.value(device, loss(text, 1))).isNotEqualTo(masked.value(device, loss(text, 1)));
        }
    }

    /** Two voxels that touch at a corner only are one component for 26 neighbours, two for 6. */
    @EachDevice
    void connectivityDecidesWhatAComponentIs(String name) {
        byte[] targets = {1, 0, 0, 0, 0, 0, 0, 1};
        Batch batch = new Batch(new Shape(1, 2, 2, 2, 1), logits(8), targets);
        try (Device device = Devices.open(name)) {
            double[] values = Stream.of(6, 18, 26)
                    .mapToDouble(c ->
                            batch.value(device, loss("blob(monai_dice, alpha=0, beta=1, connectivity=" + c + ")", 1)))
                    .toArray();
            assertThat(values[0]).isEqualTo(values[1]);
            assertThat(values[2]).isNotEqualTo(values[0]);
            assertClose("one component", values[2], batch.value(device, loss("monai_dice(sigmoid=true)", 1)));
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "blob(topk(0.1)) | is a softmax loss",
                "blob(dice(sigmoid=false)) | is a softmax loss",
                "blob(blob(dice)) | is no function of sums over regions",
                "blob(dice(background=false)) | set background=true",
                "blob(dice, connectivity=8) | is none of 6, 18, 26",
                "blob(dice, alpha=-1) | at least 0",
                "blob(dice, alpha=0, beta=0) | not both 0",
                "blob(dice, mask=none) | zero_logit or zero_prob or exclude",
            })
    void whatCannotBeIsRefused(String text, String message) {
        assertThatThrownBy(() -> loss(text, 2))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining(message);
    }

    @Test
    void manyComponentsHaveFiniteSums() {
        Shape shape = new Shape(2, 16, 16, 16, 1);
        byte[] targets = new byte[2 * 4096];
        for (int i = 0; i < targets.length; i++) {
            boolean corner = i % 2 == 0 && i / 16 % 2 == 0 && i / 256 % 2 == 0;
            targets[i] = (byte) (corner ? 1 : 0);
        }
        Batch batch = new Batch(shape, logits(targets.length), targets);
        try (Device device = Device.cpu()) {
            SegmentationLoss loss = loss("blob(dice + bce)", 1);
            assertThat(batch.value(device, loss)).isFinite();
            assertThat(batch.gradient(device, loss)).doesNotContain(0f, Float.NaN);
        }
    }
}
