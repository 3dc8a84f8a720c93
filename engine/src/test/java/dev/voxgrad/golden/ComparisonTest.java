package dev.voxgrad.golden;

import static org.assertj.core.api.Assertions.assertThat;

import dev.voxgrad.engine.ElementType;
import org.junit.jupiter.api.Test;

class ComparisonTest {
    private static final double NAN = Double.NaN;
    private static final double INF = Double.POSITIVE_INFINITY;

    private static String complaint(Tolerance tolerance, double[] want, double... got) {
        return Comparison.complaint(new GoldenTensor(ElementType.F64, new int[] {want.length}, want), got, tolerance);
    }

    @Test
    void elementsMayDifferByTheirTolerance() {
        Tolerance tolerance = new Tolerance(0.1, 0.01, INF, 0);
        assertThat(complaint(tolerance, new double[] {0, 100}, -0.1, 101)).isEmpty();
        assertThat(complaint(tolerance, new double[] {0, 100}, 0.11, 102))
                .contains("worst index [1]", "expected 100.0", "got 102.0", "2 of 2");
    }

    @Test
    void nanAndInfinityMustBeMetAsSuch() {
        Tolerance tolerance = new Tolerance(1e9, 1, INF, 0);
        assertThat(complaint(tolerance, new double[] {NAN, INF, -INF}, NAN, INF, -INF))
                .isEmpty();
        assertThat(complaint(tolerance, new double[] {1}, NAN)).contains("got NaN");
        assertThat(complaint(tolerance, new double[] {1}, INF)).contains("got Infinity");
        assertThat(complaint(tolerance, new double[] {NAN}, 1)).contains("expected NaN");
        assertThat(complaint(tolerance, new double[] {INF}, -INF)).contains("expected Infinity");
    }

    @Test
    void theNormIsJudgedAsWell() {
        Tolerance tolerance = new Tolerance(1, 0, 0.01, 0);
        assertThat(complaint(tolerance, new double[] {30, 40}, 30.3, 40)).isEmpty();
        assertThat(complaint(tolerance, new double[] {30, 40}, 30.6, 40)).contains("norm");
    }

    @Test
    void aShareOfLabelVoxelsMayDiffer() {
        Tolerance tolerance = new Tolerance(0, 0, INF, 0.25);
        assertThat(complaint(tolerance, new double[] {1, 2, 3, 4}, 1, 2, 3, 9)).isEmpty();
        assertThat(complaint(tolerance, new double[] {1, 2, 3, 4}, 1, 2, 8, 9)).contains("2 of 4");
    }

    @Test
    void anotherLengthIsAComplaint() {
        assertThat(complaint(Tolerance.EXACT, new double[] {1, 2}, 1)).contains("1 elements, expected 2");
    }
}
