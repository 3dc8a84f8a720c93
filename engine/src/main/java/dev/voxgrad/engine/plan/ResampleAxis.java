package dev.voxgrad.engine.plan;

import java.util.Arrays;

/**
 * Where the samples of a resized axis come from, with half-pixel centres: sample i of m lies at c = (i + 0.5) n/m - 0.5, clamped
 * to [0, n - 1], between the samples low and high = low + 1 of the source. The weights are w = 1 - (c - low) and 1 - w, rounded as
 * scikit-image does.
 *
 * @param low index of the first source sample
 * @param high index of the second, equal to low where only one counts
 * @param weight of the first, in (0, 1]; that of the second is 1 - weight
 */
public record ResampleAxis(int[] low, int[] high, double[] weight) {
    /** Linear interpolation from n to m samples. */
    public static ResampleAxis linear(int n, int m) {
        return of(n, m, true);
    }

    /** The nearest sample, the upper one at the middle between two. */
    public static ResampleAxis nearest(int n, int m) {
        return of(n, m, false);
    }

    private static ResampleAxis of(int n, int m, boolean linear) {
        int[] low = new int[m];
        int[] high = new int[m];
        double[] weight = new double[m];
        double ratio = (double) n / m;
        for (int i = 0; i < m; i++) {
            double c = Math.clamp((i + 0.5) * ratio - 0.5, 0, n - 1);
            low[i] = (int) Math.floor(linear ? c : c + 0.5);
            weight[i] = linear ? 1 - (c - low[i]) : 1;
            high[i] = weight[i] == 1 ? low[i] : Math.min(low[i] + 1, n - 1);
        }
        return new ResampleAxis(low, high, weight);
    }

    /** Number of samples after resizing. */
    public int length() {
        return low.length;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof ResampleAxis a
                && Arrays.equals(low, a.low)
                && Arrays.equals(high, a.high)
                && Arrays.equals(weight, a.weight);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(low);
    }

    @Override
    public String toString() {
        return "ResampleAxis" + Arrays.toString(low) + Arrays.toString(weight);
    }
}
