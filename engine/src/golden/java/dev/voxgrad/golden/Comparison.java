package dev.voxgrad.golden;

import java.util.Arrays;

/** Compares one computed array with a golden one and says what is wrong with it. */
final class Comparison {
    private Comparison() {}

    /** The complaint, or an empty text when {@code actual} is within the tolerance. */
    static String complaint(GoldenTensor expected, double[] actual, Tolerance tolerance) {
        double[] want = expected.values();
        if (actual.length != want.length) {
            return "has " + actual.length + " elements, expected " + want.length + " "
                    + Arrays.toString(expected.shape());
        }
        int misses = 0;
        int worst = 0;
        double worstExcess = Double.NEGATIVE_INFINITY;
        double squaredError = 0;
        double squaredNorm = 0;
        for (int i = 0; i < want.length; i++) {
            if (!tolerance.accepts(want[i], actual[i])) {
                misses++;
                double excess = Math.abs(actual[i] - want[i]) - tolerance.allowed(want[i]);
                if (!(excess <= worstExcess)) {
                    worst = i;
                    // A NaN on either side is as bad as it gets.
                    worstExcess = Double.isNaN(excess) ? Double.POSITIVE_INFINITY : excess;
                }
            }
            if (Double.isFinite(want[i])) {
                squaredError += (actual[i] - want[i]) * (actual[i] - want[i]);
                squaredNorm += want[i] * want[i];
            }
        }
        if (misses > tolerance.mismatchFraction() * want.length) {
            return "worst index " + Arrays.toString(expected.index(worst)) + ": expected " + want[worst] + ", got "
                    + actual[worst] + ", difference " + Math.abs(actual[worst] - want[worst]) + "; " + misses + " of "
                    + want.length + " elements are outside (" + tolerance + ")";
        }
        if (Math.sqrt(squaredError) > tolerance.relL2() * Math.sqrt(squaredNorm)) {
            return "norm of the difference is " + Math.sqrt(squaredError / squaredNorm)
                    + " of the expected norm, allowed " + tolerance.relL2();
        }
        return "";
    }
}
