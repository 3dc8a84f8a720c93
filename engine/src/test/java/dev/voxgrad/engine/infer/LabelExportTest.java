package dev.voxgrad.engine.infer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.voxgrad.engine.op.Triple;
import dev.voxgrad.engine.plan.CropBox;
import dev.voxgrad.engine.plan.LabelRule;
import dev.voxgrad.engine.plan.Outputs;
import dev.voxgrad.engine.plan.ResampleAxis;
import dev.voxgrad.engine.plan.Resampler;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.Random;
import org.junit.jupiter.api.Test;

class LabelExportTest {
    private static final int CLASSES = 5;

    private static byte[] export(float[] logits, Triple from, Triple volume, CropBox crop, OptionalInt separate) {
        return export(logits, from, volume, crop, separate, Outputs.SOFTMAX);
    }

    private static byte[] export(
            float[] logits, Triple from, Triple volume, CropBox crop, OptionalInt separate, Outputs outputs) {
        LabelExport export = new LabelExport(from, volume, crop, separate, LabelRule.of(outputs));
        int plane = logits.length / from.d();
        for (int z = 0; z < from.d(); z++) {
            export.accept(z, Arrays.copyOfRange(logits, z * plane, (z + 1) * plane));
        }
        return export.labels();
    }

    /** All at once: every voxel from its eight neighbours. */
    private static byte[] direct(float[] logits, Triple from, Triple volume, CropBox crop, OptionalInt separate) {
        Triple to = crop.size();
        List<ResampleAxis> a = Resampler.linearAxes(from, to, separate);
        byte[] labels = new byte[volume.d() * volume.h() * volume.w()];
        for (int z = 0; z < to.d(); z++) {
            for (int y = 0; y < to.h(); y++) {
                for (int x = 0; x < to.w(); x++) {
                    double[] sum = new double[CLASSES];
                    for (int k = 0; k < 8; k++) {
                        int[] at = {z, y, x};
                        double weight = 1;
                        int[] source = new int[3];
                        for (int axis = 0; axis < 3; axis++) {
                            boolean high = (k >> (2 - axis) & 1) == 1;
                            source[axis] = high
                                    ? a.get(axis).high()[at[axis]]
                                    : a.get(axis).low()[at[axis]];
                            double w = a.get(axis).weight()[at[axis]];
                            weight *= high ? 1 - w : w;
                        }
                        for (int c = 0; c < CLASSES; c++) {
                            int i = ((source[0] * from.h() + source[1]) * from.w() + source[2]) * CLASSES + c;
                            sum[c] += logits[i] * weight;
                        }
                    }
                    int best = 0;
                    for (int c = 1; c < CLASSES; c++) {
                        best = sum[c] > sum[best] ? c : best;
                    }
                    int at = ((z + crop.from().d()) * volume.h()
                                            + y
                                            + crop.from().h())
                                    * volume.w()
                            + x
                            + crop.from().w();
                    labels[at] = (byte) best;
                }
            }
        }
        return labels;
    }

    @Test
    void planeByPlaneEqualsAllAtOnce() {
        Random random = new Random(1);
        Triple from = new Triple(5, 7, 6);
        float[] logits = new float[5 * 7 * 6 * CLASSES];
        for (int i = 0; i < logits.length; i++) {
            logits[i] = random.nextFloat();
        }
        for (Triple to :
                List.of(from, new Triple(11, 9, 13), new Triple(3, 4, 2), new Triple(1, 7, 6), new Triple(5, 14, 3))) {
            Triple volume = new Triple(to.d() + 3, to.h() + 1, to.w() + 2);
            Triple low = new Triple(2, 0, 1);
            CropBox crop = new CropBox(low, new Triple(low.d() + to.d(), to.h(), low.w() + to.w()));
            for (OptionalInt separate : List.of(OptionalInt.empty(), OptionalInt.of(0), OptionalInt.of(2))) {
                assertThat(export(logits, from, volume, crop, separate))
                        .as(to + " " + separate)
                        .isEqualTo(direct(logits, from, volume, crop, separate));
            }
        }
    }

    @Test
    void theLowestClassWinsTies() {
        Triple one = new Triple(1, 1, 1);
        byte[] labels = export(new float[] {0, 2, 1, 2, 2}, one, one, CropBox.all(one), OptionalInt.empty());
        assertThat(labels).containsExactly(1);
    }

    /** Softmax with a background whose logit is 0 everywhere has the same rule, and interpolation keeps the 0. */
    @Test
    void sigmoidIsSoftmaxWithABackgroundOfLogitZero() {
        Random random = new Random(2);
        Triple from = new Triple(5, 7, 6);
        float[] with = new float[5 * 7 * 6 * CLASSES];
        float[] without = new float[5 * 7 * 6 * (CLASSES - 1)];
        for (int i = 0; i < without.length; i++) {
            without[i] = (float) (random.nextGaussian() - 1); // so that background wins about as often as all others
            with[i / (CLASSES - 1) * CLASSES + i % (CLASSES - 1) + 1] = without[i];
        }
        Triple to = new Triple(11, 9, 13);
        CropBox crop = new CropBox(new Triple(1, 0, 2), new Triple(12, 9, 15));
        Triple volume = new Triple(13, 10, 16);
        for (OptionalInt separate : List.of(OptionalInt.empty(), OptionalInt.of(0))) {
            byte[] labels = export(without, from, volume, crop, separate, Outputs.SIGMOID);
            assertThat(labels).contains(0, 1, 2, 3, 4).isEqualTo(direct(with, from, volume, crop, separate));
        }
        assertThat(crop.size()).isEqualTo(to);
    }

    @Test
    void aSigmoidLabelNeedsAProbabilityAboveOneHalf() {
        Triple four = new Triple(1, 1, 4);
        float[] one = {-0.1f, 0, 1e-6f, 3};
        assertThat(export(one, four, four, CropBox.all(four), OptionalInt.empty(), Outputs.SIGMOID))
                .containsExactly(0, 0, 1, 1);
        float[] two = {-2, -1, 0, 0, 1, 2, 3, 3};
        assertThat(export(two, four, four, CropBox.all(four), OptionalInt.empty(), Outputs.SIGMOID))
                .containsExactly(0, 0, 2, 1);
    }

    @Test
    void missingPlanesAreNotTakenForAResult() {
        Triple size = new Triple(2, 1, 1);
        LabelExport export =
                new LabelExport(size, size, CropBox.all(size), OptionalInt.empty(), LabelRule.of(Outputs.SOFTMAX));
        export.accept(0, new float[CLASSES]);
        assertThatThrownBy(export::labels)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("1 of 2");
        assertThatThrownBy(() -> export.accept(0, new float[CLASSES])).hasMessageContaining("came as plane 1");
    }
}
