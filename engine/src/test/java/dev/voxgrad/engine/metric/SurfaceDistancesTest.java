package dev.voxgrad.engine.metric;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.voxgrad.engine.image.Grid;
import dev.voxgrad.engine.tensor.Device;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Laws of distances between surfaces, and the nearest surface voxel found by looking at all of them. */
class SurfaceDistancesTest {
    private static final Device CPU = Device.cpu(2);
    private static final Grid GRID = new Grid(9, 12, 14);
    private static final double[] SPACING = {2.5, 0.8, 1.1};
    private static final double ROUNDING = 1e-12;

    @AfterAll
    static void close() {
        CPU.close();
    }

    private static MaskPair random(long seed) {
        return MaskPair.of(Masks.balls(GRID, seed, 5), Masks.balls(GRID, seed + 1000, 5), GRID, SPACING);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5})
    void everyDistanceIsThatOfTheNearestSurfaceVoxel(long seed) {
        byte[] reference = Masks.balls(GRID, seed, 5);
        byte[] prediction = Masks.balls(GRID, seed + 1000, 5);
        List<Integer> r = Masks.surface(reference, GRID, 0, 1, 2);
        List<Integer> p = Masks.surface(prediction, GRID, 0, 1, 2);
        SurfaceDistances found = SurfaceDistances.of(CPU, MaskPair.of(reference, prediction, GRID, SPACING));
        assertThat(found.referenceToPrediction()).containsExactly(Masks.nearest(r, p, GRID, SPACING), within(ROUNDING));
        assertThat(found.predictionToReference()).containsExactly(Masks.nearest(p, r, GRID, SPACING), within(ROUNDING));
    }

    @Test
    void surfacesInThePlaneHaveNoFacesAlongZ() {
        byte[] reference = Masks.balls(GRID, 7, 6);
        byte[] prediction = Masks.balls(GRID, 8, 6);
        List<Integer> r = Masks.surface(reference, GRID, 1, 2);
        List<Integer> p = Masks.surface(prediction, GRID, 1, 2);
        MaskPair pair = MaskPair.of(reference, prediction, GRID, SPACING);
        SurfaceDistances found = SurfaceDistances.of(CPU, pair, Surface.IN_PLANE);
        assertThat(found.referenceToPrediction()).containsExactly(Masks.nearest(r, p, GRID, SPACING), within(ROUNDING));
        byte[] block = Masks.box(GRID, new int[] {2, 3, 4}, new int[] {5, 8, 9});
        MaskPair same = MaskPair.of(block, block, GRID, SPACING);
        assertThat(SurfaceDistances.of(CPU, same, Surface.IN_PLANE).referenceToPrediction())
                .hasSize(3 * 16);
        assertThat(SurfaceDistances.of(CPU, same).referenceToPrediction()).hasSize(3 * 25 - 9);
    }

    @Test
    void picturesHaveContours() {
        Grid grid = new Grid(1, 12, 14);
        byte[] reference = Masks.balls(grid, 11, 4);
        byte[] prediction = Masks.balls(grid, 12, 4);
        List<Integer> r = Masks.surface(reference, grid, 1, 2);
        List<Integer> p = Masks.surface(prediction, grid, 1, 2);
        SurfaceDistances found = SurfaceDistances.of(CPU, MaskPair.of(reference, prediction, grid, 0.8, 1.1));
        assertThat(found.referenceToPrediction())
                .containsExactly(Masks.nearest(r, p, grid, 1, 0.8, 1.1), within(ROUNDING));
        MaskPair volume = MaskPair.of(reference, prediction, grid, 5, 0.8, 1.1);
        assertThat(SurfaceDistances.of(CPU, volume).referenceToPrediction())
                .as("in a volume every voxel of a single slice is surface")
                .hasSizeGreaterThan(r.size());
    }

    @ParameterizedTest
    @ValueSource(longs = {21, 22, 23})
    void swappingTheMasksSwapsTheDirections(long seed) {
        byte[] a = Masks.balls(GRID, seed, 4);
        byte[] b = Masks.balls(GRID, seed + 1000, 4);
        MaskPair forth = MaskPair.of(a, b, GRID, SPACING);
        MaskPair back = MaskPair.of(b, a, GRID, SPACING);
        SurfaceDistances x = SurfaceDistances.of(CPU, forth);
        SurfaceDistances y = SurfaceDistances.of(CPU, back);
        assertThat(x.referenceToPrediction()).isEqualTo(y.predictionToReference());
        assertThat(x.hd()).isEqualTo(y.hd());
        assertThat(x.hd95()).isEqualTo(y.hd95());
        assertThat(x.hd95Pooled()).isEqualTo(y.hd95Pooled());
        assertThat(x.assd()).isEqualTo(y.assd());
        assertThat(x.assdMeanOfMeans()).isEqualTo(y.assdMeanOfMeans());
        assertThat(x.nsd(1)).isEqualTo(y.nsd(1));
        SurfelDistances s = SurfelDistances.of(CPU, forth);
        SurfelDistances t = SurfelDistances.of(CPU, back);
        assertThat(s.hd(95)).isEqualTo(t.hd(95));
        assertThat(s.meanReferenceToPrediction()).isEqualTo(t.meanPredictionToReference());
        assertThat(s.assd()).isEqualTo(t.assd());
        assertThat(s.nsd(1)).isEqualTo(t.nsd(1));
        assertThat(forth.counts().sensitivity()).isEqualTo(back.counts().precision());
        assertThat(forth.counts().dice()).isEqualTo(back.counts().dice());
        assertThat(forth.counts().volumeSimilarity()).isEqualTo(back.counts().volumeSimilarity());
    }

    @ParameterizedTest
    @EnumSource(Surface.class)
    void placeInTheImageDoesNotMatter(Surface surface) {
        byte[] a = Masks.balls(GRID, 31, 4);
        byte[] b = Masks.balls(GRID, 32, 4);
        Grid large = new Grid(30, 40, 50);
        MaskPair here = MaskPair.of(a, b, GRID, SPACING);
        MaskPair there = MaskPair.of(
                Masks.moved(a, GRID, large, 21, 17, 3), Masks.moved(b, GRID, large, 21, 17, 3), large, SPACING);
        SurfaceDistances x = SurfaceDistances.of(CPU, here, surface);
        SurfaceDistances y = SurfaceDistances.of(CPU, there, surface);
        assertThat(x.referenceToPrediction()).isEqualTo(y.referenceToPrediction());
        assertThat(x.predictionToReference()).isEqualTo(y.predictionToReference());
        SurfelDistances s = SurfelDistances.of(CPU, here);
        SurfelDistances t = SurfelDistances.of(CPU, there);
        assertThat(s.assd()).isEqualTo(t.assd());
        assertThat(s.referenceArea()).isEqualTo(t.referenceArea());
        assertThat(s.nsd(2)).isEqualTo(t.nsd(2));
    }

    @Test
    void distancesScaleWithTheSpacing() {
        byte[] a = Masks.balls(GRID, 41, 4);
        byte[] b = Masks.balls(GRID, 42, 4);
        double factor = 4; // a power of two scales without rounding
        MaskPair small = MaskPair.of(a, b, GRID, SPACING);
        MaskPair large = MaskPair.of(a, b, GRID, SPACING[0] * factor, SPACING[1] * factor, SPACING[2] * factor);
        SurfaceDistances x = SurfaceDistances.of(CPU, small);
        SurfaceDistances y = SurfaceDistances.of(CPU, large);
        assertThat(y.hd95()).isEqualTo(factor * x.hd95());
        assertThat(y.assd()).isEqualTo(factor * x.assd());
        assertThat(y.nsd(3 * factor)).isEqualTo(x.nsd(3));
        SurfelDistances s = SurfelDistances.of(CPU, small);
        SurfelDistances t = SurfelDistances.of(CPU, large);
        assertThat(t.assd()).isEqualTo(factor * s.assd());
        assertThat(t.predictionArea()).isEqualTo(factor * factor * s.predictionArea());
        assertThat(t.nsd(2.2 * factor)).isEqualTo(s.nsd(2.2));
        assertThat(Overlap.of(large).differenceMm3())
                .isEqualTo(factor * factor * factor * Overlap.of(small).differenceMm3());
        assertThat(large.diagonalMm()).isEqualTo(factor * small.diagonalMm());
    }

    @Test
    void identicalMasksHaveNoDistance() {
        byte[] mask = Masks.balls(GRID, 51, 5);
        MaskPair pair = MaskPair.of(mask, mask, GRID, SPACING);
        SurfaceDistances voxel = SurfaceDistances.of(CPU, pair);
        SurfelDistances surfel = SurfelDistances.of(CPU, pair);
        assertThat(List.of(voxel.hd(), voxel.hd95(), voxel.hd95Pooled(), voxel.assd(), surfel.hd(100), surfel.assd()))
                .containsOnly(0.0);
        assertThat(List.of(voxel.nsd(0), surfel.nsd(0), pair.counts().dice())).containsOnly(1.0);
    }

    @Test
    void singleVoxelsAreAsFarAsTheirCentres() {
        byte[] a = Masks.box(GRID, new int[] {1, 2, 3}, new int[] {2, 3, 4});
        byte[] b = Masks.box(GRID, new int[] {1, 5, 7}, new int[] {2, 6, 8});
        MaskPair pair = MaskPair.of(a, b, GRID, 1, 1, 1);
        SurfaceDistances voxel = SurfaceDistances.of(CPU, pair);
        assertThat(List.of(voxel.hd(), voxel.hd95(), voxel.assd(), voxel.assdMeanOfMeans()))
                .containsOnly(5.0);
        assertThat(voxel.nsd(5)).isOne();
        assertThat(voxel.nsd(Math.nextDown(5.0))).isZero();
        assertThat(SurfelDistances.of(CPU, pair).hd(100)).isEqualTo(5);
    }

    @Test
    void masksThatFillTheImageHaveTheirSurfaceAtItsBorder() {
        byte[] full = Masks.box(GRID, new int[3], GRID.sizes());
        SurfaceDistances found = SurfaceDistances.of(CPU, MaskPair.of(full, full, GRID, SPACING));
        assertThat(found.referenceToPrediction()).hasSize(GRID.voxels() - 7 * 10 * 12);
        byte[] inner = Masks.box(GRID, new int[] {1, 1, 1}, new int[] {8, 11, 13});
        assertThat(SurfaceDistances.of(CPU, MaskPair.of(full, inner, GRID, 1, 1, 1))
                        .hd())
                .isCloseTo(Math.sqrt(3), within(ROUNDING));
    }

    @Test
    void oneEmptyMaskIsInfinitelyFarAndTwoAreNot() {
        byte[] mask = Masks.balls(GRID, 61, 2);
        byte[] empty = new byte[mask.length];
        for (MaskPair pair :
                List.of(MaskPair.of(mask, empty, GRID, SPACING), MaskPair.of(empty, mask, GRID, SPACING))) {
            SurfaceDistances voxel = SurfaceDistances.of(CPU, pair);
            SurfelDistances surfel = SurfelDistances.of(CPU, pair);
            assertThat(List.of(
                            voxel.hd(), voxel.hd95(), voxel.hd95Pooled(), voxel.assd(), surfel.hd(95), surfel.assd()))
                    .containsOnly(Double.POSITIVE_INFINITY);
            assertThat(List.of(voxel.nsd(1e9), surfel.nsd(1e9))).containsOnly(0.0);
        }
        MaskPair none = MaskPair.of(empty, empty, GRID, SPACING);
        SurfaceDistances voxel = SurfaceDistances.of(CPU, none);
        SurfelDistances surfel = SurfelDistances.of(CPU, none);
        assertThat(List.of(voxel.hd(), voxel.assd(), voxel.nsd(1), surfel.hd(95), surfel.assd(), surfel.nsd(1)))
                .allMatch(d -> d.isNaN());
        assertThat(surfel.referenceArea()).isZero();
    }

    /** Areas are summed by distance: the order must not leave a share of 0.9999999999999997. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10})
    void surfacesWithinTheToleranceAreAShareOfOne(long seed) {
        assertThat(SurfelDistances.of(CPU, random(seed)).nsd(1e9)).isEqualTo(1.0);
    }

    @Test
    void threadsDoNotChangeADigit() {
        MaskPair pair = random(71);
        try (Device one = Device.cpu(1);
                Device seven = Device.cpu(7)) {
            assertThat(SurfaceDistances.of(one, pair).assd())
                    .isEqualTo(SurfaceDistances.of(seven, pair).assd());
            assertThat(SurfelDistances.of(one, pair).assd())
                    .isEqualTo(SurfelDistances.of(seven, pair).assd());
        }
    }
}
