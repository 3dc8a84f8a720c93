package dev.voxgrad.losses;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.OptionalInt;

/** Losses of text and comparisons of gradients, for the tests of what must hold for every loss. */
final class Numbers {
    private Numbers() {}

    static SegmentationLoss loss(String text, int classes) {
        return (SegmentationLoss) Losses.parse(text, classes, OptionalInt.empty());
    }

    static SegmentationLoss lossIgnoring(int label, String text, int classes) {
        return (SegmentationLoss) Losses.parse(text, classes, OptionalInt.of(label));
    }

    static double largest(float... values) {
        double largest = 0;
        for (float v : values) {
            largest = Math.max(largest, Math.abs(v));
        }
        return largest;
    }

    /** Equal to the rounding of float32 sums. */
    static void assertClose(String what, float[] actual, float[] expected) {
        assertThat(actual).hasSameSizeAs(expected);
        double limit = 1e-5 * largest(expected) + 1e-12;
        for (int i = 0; i < actual.length; i++) {
            assertThat((double) actual[i]).as("%s, element %d", what, i).isCloseTo(expected[i], within(limit));
        }
    }

    static void assertClose(String what, double actual, double expected) {
        assertThat(actual).as(what).isCloseTo(expected, within(2e-6 * (1 + Math.abs(expected))));
    }
}
