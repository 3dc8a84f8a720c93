package dev.voxgrad.engine.augment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.voxgrad.engine.op.Triple;
import dev.voxgrad.engine.plan.Intensity;
import dev.voxgrad.engine.plan.Intensity.Range;
import dev.voxgrad.engine.plan.Training;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class TransformTest {
    private static final Triple SIZE = new Triple(5, 6, 7);

    private static Patch patch(int channels) {
        CounterRandom random = CounterRandom.of(11, "test");
        float[] image = new float[5 * 6 * 7 * channels];
        byte[] labels = new byte[5 * 6 * 7];
        for (int i = 0; i < image.length; i++) {
            image[i] = (float) (2 * random.normal() + 1);
        }
        for (int i = 0; i < labels.length; i++) {
            labels[i] = (byte) random.integer(0, 3);
        }
        return new Patch("case", SIZE, channels, image, labels);
    }

    @Test
    void mirrorTwiceIsIdentityAndMovesImageAndLabelsTogether() {
        for (int axis = 0; axis < 3; axis++) {
            Patch p = patch(2);
            Patch original = patch(2);
            Mirror.flip(p, axis);
            for (int z = 0; z < 5; z++) {
                for (int y = 0; y < 6; y++) {
                    for (int x = 0; x < 7; x++) {
                        int from = (z * 6 + y) * 7 + x;
                        int to = axis == 0
                                ? ((4 - z) * 6 + y) * 7 + x
                                : axis == 1 ? (z * 6 + 5 - y) * 7 + x : (z * 6 + y) * 7 + 6 - x;
                        assertThat(p.labels()[to]).isEqualTo(original.labels()[from]);
                        assertThat(p.image()[2 * to + 1]).isEqualTo(original.image()[2 * from + 1]);
                    }
                }
            }
            Mirror.flip(p, axis);
            assertThat(p.image()).isEqualTo(original.image());
            assertThat(p.labels()).isEqualTo(original.labels());
        }
    }

    @Test
    void mirrorFlipsAboutHalfOfThePatches() {
        int flipped = 0;
        byte[] original = patch(1).labels();
        for (int i = 0; i < 400; i++) {
            Patch p = patch(1);
            new Mirror(List.of(1)).apply(p, CounterRandom.of(5, "mirror", i));
            flipped += Arrays.equals(p.labels(), original) ? 0 : 1;
        }
        assertThat(flipped).isBetween(160, 240);
    }

    @Test
    void noiseHasTheDrawnDeviation() {
        Patch p = new Patch("case", new Triple(20, 20, 20), 1, new float[8000], new byte[8000]);
        new GaussianNoise(1, new Range(0.1, 0.1)).apply(p, CounterRandom.of(1, "noise"));
        Channel c = Channel.of(p, 0);
        assertThat(c.mean()).isCloseTo(0, within(0.005));
        assertThat(c.deviation()).isCloseTo(0.1, within(0.005));
    }

    @Test
    void contrastKeepsMeanRoughlyAndRangeExactly() {
        Patch p = patch(1);
        Channel before = Channel.of(p, 0);
        Contrast.apply(p, 0, 1.25);
        Channel after = Channel.of(p, 0);
        assertThat(after.minimum()).isEqualTo(before.minimum());
        assertThat(after.maximum()).isEqualTo(before.maximum());
        assertThat(after.mean()).isCloseTo(before.mean(), within(0.1));
    }

    @Test
    void gammaKeepsMeanAndDeviationOfEachChannel() {
        for (boolean inverted : new boolean[] {false, true}) {
            Patch p = patch(3);
            Channel before = Channel.of(p, 1);
            float untouched = p.image()[0];
            Gamma.apply(p, 1, 1.4, inverted);
            Channel after = Channel.of(p, 1);
            assertThat(after.mean()).isCloseTo(before.mean(), within(1e-5));
            assertThat(after.deviation()).isCloseTo(before.deviation(), within(1e-5));
            assertThat(p.image()[0]).isEqualTo(untouched);
        }
    }

    @Test
    void constantChannelStaysFinite() {
        Patch p = new Patch("case", SIZE, 1, new float[210], new byte[210]);
        Arrays.fill(p.image(), 3);
        Gamma.apply(p, 0, 0.7, true);
        Contrast.apply(p, 0, 1.2);
        assertThat(p.image()).containsOnly(3);
    }

    @Test
    void probabilityZeroChangesNothing() {
        Patch p = patch(2);
        Training training = Training.standard().with(t -> t.mirrorAxes = List.of());
        Augmentation none = new Augmentation(Augmentation.of(training).transforms().stream()
                .filter(t -> t instanceof Mirror)
                .toList());
        none.apply(p, CounterRandom.of(1, "augment"));
        assertThat(p.image()).isEqualTo(patch(2).image());
        assertThat(Intensity.none().gammaProbability()).isZero();
    }

    @Test
    void augmentationIsAFunctionOfItsKey() {
        Augmentation augmentation = Augmentation.of(Training.standard());
        Patch a = patch(2);
        Patch b = patch(2);
        augmentation.apply(a, CounterRandom.of(4, "augment", 3, 2, 1));
        augmentation.apply(b, CounterRandom.of(4, "augment", 3, 2, 1));
        assertThat(a.image()).isEqualTo(b.image());
        assertThat(a.labels()).isEqualTo(b.labels());
    }
}
