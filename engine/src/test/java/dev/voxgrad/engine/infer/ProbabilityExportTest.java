package dev.voxgrad.engine.infer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.voxgrad.engine.op.Triple;
import dev.voxgrad.engine.plan.CropBox;
import dev.voxgrad.engine.plan.LabelRule;
import dev.voxgrad.engine.plan.Outputs;
import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ProbabilityExportTest {
    private static final Triple VOLUME = new Triple(6, 8, 9);
    private static final CropBox CROP = new CropBox(new Triple(1, 2, 0), new Triple(6, 7, 8));
    private static final Triple LOGITS = new Triple(3, 4, 10);

    private record Exported(byte[] labels, float[] probabilities, float[] uncertainty) {
        int voxels() {
            return labels.length;
        }

        /** Probability of a channel at a voxel. */
        float p(int channel, int voxel) {
            return probabilities[channel * voxels() + voxel];
        }
    }

    private static Exported export(Outputs outputs, int channels, Uncertainty kind) {
        Random random = new Random(3);
        LabelExport labels = new LabelExport(LOGITS, VOLUME, CROP, OptionalInt.empty(), LabelRule.of(outputs));
        ProbabilityExport maps = new ProbabilityExport(VOLUME, CROP, outputs, Optional.of(kind), true);
        labels.alsoTo(maps);
        float[] plane = new float[LOGITS.h() * LOGITS.w() * channels];
        for (int z = 0; z < LOGITS.d(); z++) {
            for (int i = 0; i < plane.length; i++) {
                plane[i] = (float) (3 * random.nextGaussian());
            }
            labels.accept(z, plane);
        }
        return new Exported(labels.labels(), maps.probabilities(), maps.uncertainty());
    }

    private static boolean inCrop(int voxel) {
        int z = voxel / (VOLUME.h() * VOLUME.w());
        int y = voxel / VOLUME.w() % VOLUME.h();
        int x = voxel % VOLUME.w();
        Triple low = CROP.from();
        Triple high = CROP.to();
        return z >= low.d() && z < high.d() && y >= low.h() && y < high.h() && x >= low.w() && x < high.w();
    }

    @Test
    void softmaxAddsUpTo1AndItsLargestIsTheLabel() {
        Exported e = export(Outputs.SOFTMAX, 3, Uncertainty.ENTROPY);
        for (int v = 0; v < e.voxels(); v++) {
            assertThat(e.p(0, v) + e.p(1, v) + e.p(2, v)).isCloseTo(1, within(1e-6f));
            assertThat(e.p(e.labels()[v], v)).isEqualTo(Math.max(e.p(0, v), Math.max(e.p(1, v), e.p(2, v))));
            if (!inCrop(v)) {
                assertThat(e.p(0, v)).isEqualTo(1);
            }
        }
        assertThat(e.labels()).contains(0, 1, 2);
    }

    @Test
    void sigmoidChannelsStandForLabelsAndDecideAtOneHalf() {
        Exported e = export(Outputs.SIGMOID, 2, Uncertainty.MARGIN);
        for (int v = 0; v < e.voxels(); v++) {
            float most = Math.max(e.p(0, v), e.p(1, v));
            assertThat((int) e.labels()[v]).isEqualTo(most <= 0.5f ? 0 : e.p(0, v) >= e.p(1, v) ? 1 : 2);
            assertThat(e.uncertainty()[v]).isCloseTo(1 - Math.abs(2 * most - 1), within(1e-6f));
            if (!inCrop(v)) {
                assertThat(most).isZero();
            }
        }
        assertThat(e.labels()).contains(0, 1, 2);
    }

    @Test
    void uncertaintyIsThatOfTheProbabilities() {
        for (Uncertainty kind : Uncertainty.values()) {
            for (int channels : new int[] {2, 4}) {
                Exported e = export(Outputs.SOFTMAX, channels, kind);
                float[] innermost = new float[e.probabilities().length];
                for (int i = 0; i < innermost.length; i++) {
                    innermost[i] = e.p(i % channels, i / channels);
                }
                assertThat(e.uncertainty()).as(kind + " of " + channels).isEqualTo(kind.of(innermost, channels));
            }
        }
    }

    /** At the size of the source nothing is interpolated: logits of 0 and ln 3 are probabilities of 1/4 and 3/4. */
    @Test
    void probabilitiesAreThoseOfTheLogits() {
        Triple size = new Triple(1, 1, 2);
        LabelExport labels =
                new LabelExport(size, size, CropBox.all(size), OptionalInt.empty(), LabelRule.of(Outputs.SOFTMAX));
        ProbabilityExport maps =
                new ProbabilityExport(size, CropBox.all(size), Outputs.SOFTMAX, Optional.empty(), true);
        labels.alsoTo(maps);
        float ln3 = (float) Math.log(3);
        labels.accept(0, new float[] {0, ln3, 80 + ln3, 80});
        assertThat(maps.probabilities()).containsExactly(new float[] {0.25f, 0.75f, 0.75f, 0.25f}, within(1e-5f));
        assertThat(maps.uncertainty()).isEmpty();
        assertThat(Arrays.toString(labels.labels())).isEqualTo("[1, 0]");
    }
}
