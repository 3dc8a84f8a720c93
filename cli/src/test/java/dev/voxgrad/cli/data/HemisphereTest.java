package dev.voxgrad.cli.data;

import static org.assertj.core.api.Assertions.assertThat;

import dev.voxgrad.engine.image.Grid;
import org.junit.jupiter.api.Test;

final class HemisphereTest {
    private static int flat(int z, int y, int x) {
        Grid fine = BrainScan.GRID;
        return (z * fine.height() + y) * fine.width() + x;
    }

    /** Image = x index, label = 1 in the left half and 2 in the right one. */
    private static BrainScan ramp() {
        float[] image = new float[BrainScan.GRID.voxels()];
        short[] labels = new short[image.length];
        for (int i = 0; i < image.length; i++) {
            int x = i % BrainScan.GRID.width();
            image[i] = x;
            labels[i] = (short) (x < 90 ? 1 : x > 90 ? 2 : 4);
        }
        return new BrainScan(image, labels, false, "test");
    }

    @Test
    void shapesAreThoseOfThreeMillimetreBlocks() {
        assertThat(Hemisphere.left(ramp(), 3).image().grid()).isEqualTo(new Grid(60, 72, 30));
        assertThat(Hemisphere.right(ramp(), 2).image().grid()).isEqualTo(new Grid(90, 108, 45));
    }

    @Test
    void halvesStartBesideTheMidlineAndShareNoVoxel() {
        Hemisphere left = Hemisphere.left(ramp(), 3);
        Hemisphere right = Hemisphere.right(ramp(), 3);
        // Blocks of x = 89, 88, 87 and of 91, 92, 93.
        assertThat(left.image().channel(0)[0]).isEqualTo(88);
        assertThat(right.image().channel(0)[0]).isEqualTo(92);
        assertThat(left.image().channel(0)[29]).isEqualTo(1);
        assertThat(right.image().channel(0)[29]).isEqualTo(179);
        assertThat(left.labels().labels()).containsOnly(1);
        assertThat(right.labels().labels()).containsOnly(2);
    }

    @Test
    void blocksAreMeansAndLabelsComeFromTheCentre() {
        float[] image = new float[BrainScan.GRID.voxels()];
        short[] labels = new short[image.length];
        image[flat(3, 6, 91)] = 27;
        labels[flat(4, 7, 92)] = 3;
        labels[flat(3, 6, 91)] = 1;
        Hemisphere half = Hemisphere.right(new BrainScan(image, labels, false, "test"), 3);
        int block = (1 * 72 + 2) * 30;
        assertThat(half.image().channel(0)[block]).isEqualTo(1);
        assertThat(half.labels().label(block)).isEqualTo(3);
    }

    @Test
    void geometryKeepsThePlaceInTheHead() {
        Hemisphere half = Hemisphere.right(ramp(), 3);
        assertThat(half.image().geometry().origin()).containsExactly(2, -124, -70);
        assertThat(half.image().geometry().spacingMm()).containsExactly(3, 3, 3);
    }
}
