package dev.voxgrad.engine.augment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.image.Geometry;
import dev.voxgrad.engine.op.Triple;
import dev.voxgrad.engine.plan.CropBox;
import dev.voxgrad.engine.plan.PreparedCase;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class PatchSamplerTest {
    private static final Triple SIZE = new Triple(6, 7, 8);

    /** Voxel i holds i + 1 in channel 0 and -(i + 1) in channel 1, so that padding stands out. */
    private static PreparedCase numbered(Map<Integer, int[]> locations) {
        int voxels = 6 * 7 * 8;
        float[] image = new float[2 * voxels];
        byte[] labels = new byte[voxels];
        for (int i = 0; i < voxels; i++) {
            image[2 * i] = i + 1;
            image[2 * i + 1] = -(i + 1);
        }
        locations.forEach((label, indices) -> {
            for (int i : indices) {
                labels[i] = (byte) (label < 0 ? 0 : label);
            }
        });
        List<Double> mm = List.of(1.0, 1.0, 1.0);
        return new PreparedCase(
                "numbered",
                SIZE,
                2,
                image,
                labels,
                mm,
                CropBox.all(SIZE),
                SIZE,
                Geometry.ofSpacing(1, 1, 1),
                locations);
    }

    @Test
    void cutCopiesTheVolumeAndPadsWithZeros() {
        PreparedCase source = numbered(Map.of());
        Triple size = new Triple(5, 9, 4);
        for (int[] at :
                new int[][] {{0, -1, 0}, {-2, 3, 6}, {4, -5, -3}, {2, 1, 3}, {7, 0, 0}, {0, 0, -4}, {-9, 0, 0}}) {
            Patch p = PatchSampler.cut(source, size, at[0], at[1], at[2]);
            for (int z = 0; z < 5; z++) {
                for (int y = 0; y < 9; y++) {
                    for (int x = 0; x < 4; x++) {
                        int vz = z + at[0];
                        int vy = y + at[1];
                        int vx = x + at[2];
                        boolean inside = vz >= 0 && vz < 6 && vy >= 0 && vy < 7 && vx >= 0 && vx < 8;
                        float expected = inside ? (vz * 7 + vy) * 8 + vx + 1 : 0;
                        int i = (z * 9 + y) * 4 + x;
                        assertThat(p.image()[2 * i]).isEqualTo(expected);
                        assertThat(p.image()[2 * i + 1]).isEqualTo(inside ? -expected : 0);
                    }
                }
            }
        }
    }

    @Test
    void lastSamplesOfABatchHoldForeground() {
        PreparedCase source = numbered(Map.of(1, new int[] {13, 200}, 2, new int[] {}, 3, new int[] {335}));
        PatchSampler sampler = new PatchSampler(List.of(source), new Triple(4, 4, 4), 2, 0.33);
        int[] found = new int[4];
        for (int i = 0; i < 300; i++) {
            Patch p = sampler.sample(1, CounterRandom.of(1, "patch", i));
            boolean any = false;
            for (byte label : p.labels()) {
                any |= label != 0;
                found[label]++;
            }
            assertThat(any).as("patch " + i).isTrue();
        }
        assertThat(found[1]).isPositive();
        assertThat(found[3]).isPositive();
    }

    @Test
    void batchOfOneIsNeverForcedAndBatchOfTwoOnce() {
        assertThat(PatchSampler.forced(0, 1, 0.33)).isFalse();
        assertThat(PatchSampler.forced(0, 2, 0.33)).isFalse();
        assertThat(PatchSampler.forced(1, 2, 0.33)).isTrue();
    }

    @Test
    void casesWithoutForegroundGiveRandomPatches() {
        PatchSampler sampler = new PatchSampler(List.of(numbered(Map.of(1, new int[0]))), new Triple(4, 4, 4), 2, 1);
        for (int i = 0; i < 50; i++) {
            assertThat(sampler.sample(0, CounterRandom.of(2, "patch", i)).image())
                    .isNotEmpty();
        }
    }

    @Test
    void patchLargerThanTheVolumeHoldsAllOfIt() {
        PatchSampler sampler = new PatchSampler(List.of(numbered(Map.of())), new Triple(9, 8, 11), 2, 0);
        for (int i = 0; i < 20; i++) {
            Patch p = sampler.sample(0, CounterRandom.of(3, "patch", i));
            double sum = 0;
            for (int k = 0; k < p.image().length; k += 2) {
                sum += p.image()[k];
            }
            assertThat(sum).isEqualTo(336 * 337 / 2.0);
        }
    }

    @Test
    void withAnIgnoreLabelUnforcedPatchesAreCentredOnAnnotatedVoxels() {
        int centre = (3 * 7 + 3) * 8 + 4;
        PreparedCase source = numbered(Map.of(1, new int[] {0}, PreparedCase.ANNOTATED, new int[] {centre}));
        PatchSampler sampler = new PatchSampler(List.of(source), new Triple(2, 2, 2), 2, 0.33);
        Patch p = sampler.sample(0, CounterRandom.of(4, "patch"));
        assertThat(p.image()[0]).isEqualTo((2 * 7 + 2) * 8 + 3 + 1);
    }

    @Test
    void noCasesIsAnError() {
        assertThatThrownBy(() -> new PatchSampler(List.of(), SIZE, 2, 0.33))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("no cases");
    }
}
