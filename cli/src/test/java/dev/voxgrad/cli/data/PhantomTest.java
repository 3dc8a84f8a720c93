package dev.voxgrad.cli.data;

import static org.assertj.core.api.Assertions.assertThat;

import dev.voxgrad.engine.image.Grid;
import org.junit.jupiter.api.Test;

final class PhantomTest {
    private static final BrainScan PHANTOM = Phantom.draw();

    @Test
    void isTheSameEveryTime() {
        BrainScan again = Phantom.draw();
        assertThat(again.image()).isEqualTo(PHANTOM.image());
        assertThat(again.labels()).isEqualTo(PHANTOM.labels());
        assertThat(again.real()).isFalse();
    }

    @Test
    void everyLabelFillsMoreThanAHundredBlocksInBothHalves() {
        for (Hemisphere half : new Hemisphere[] {Hemisphere.left(PHANTOM, 3), Hemisphere.right(PHANTOM, 3)}) {
            int[] voxels = new int[BrainScan.LABELS.size()];
            for (short label : half.labels().labels()) {
                voxels[label]++;
            }
            for (int label = 1; label < voxels.length; label++) {
                assertThat(voxels[label]).as(BrainScan.LABELS.get(label)).isGreaterThan(100);
            }
        }
    }

    @Test
    void halvesDiffer() {
        short[] left = Hemisphere.left(PHANTOM, 3).labels().labels();
        short[] right = Hemisphere.right(PHANTOM, 3).labels().labels();
        int different = 0;
        for (int i = 0; i < left.length; i++) {
            different += left[i] == right[i] ? 0 : 1;
        }
        assertThat(different).isBetween(left.length / 100, left.length / 5);
    }

    @Test
    void noiseIsStandardisedAndCentred() {
        double sum = 0;
        double squares = 0;
        int count = 0;
        Grid grid = BrainScan.GRID;
        // A box inside the white matter of the left half.
        for (int z = 100; z < 120; z++) {
            for (int y = 100; y < 104; y++) {
                for (int x = 55; x < 65; x++) {
                    float value = PHANTOM.image()[(z * grid.height() + y) * grid.width() + x];
                    sum += value;
                    squares += value * value;
                    count++;
                }
            }
        }
        double mean = sum / count;
        assertThat(mean).isBetween(90.0, 125.0);
        assertThat(Math.sqrt(squares / count - mean * mean)).isBetween(8.0, 11.0);
    }
}
