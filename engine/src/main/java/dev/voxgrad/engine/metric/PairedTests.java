package dev.voxgrad.engine.metric;

import dev.voxgrad.engine.augment.CounterRandom;
import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;

/**
 * Two-sided tests of "the two models are alike" on the differences of their scores, case by case. Under that hypothesis each
 * difference is as likely with the other sign. Neither test assumes normal differences; scores near 1 do not have them.
 */
public final class PairedTests {
    /** Up to this many differences the signed rank test counts all 2^n signs (by rank sums, so it is fast). */
    private static final int EXACT_RANKS = 50;

    /** Up to this many differences the sign flip test goes through all 2^n signs. */
    private static final int EXACT_FLIPS = 16;

    /** Differences and sums that are apart by less than this share of all sizes together differ by rounding alone: they are equal. */
    private static final double ROUNDING = 1e-12;

    private PairedTests() {}

    /**
     * Wilcoxon's signed rank test. Differences of 0 are left out; equal sizes share their mean rank, where 0.9 - 0.8 equals
     * 0.8 - 0.7 although their last bits differ. Exact up to 50 differences, also with shared ranks; beyond, the normal approximation with the variance corrected for shared ranks, without a continuity
     * correction.
     *
     * @param differences finite
     * @return the p value; 1 if all differences are 0, NaN without any
     */
    public static double signedRank(double... differences) {
        double rounding = rounding(differences);
        double[] nonzero =
                Arrays.stream(differences).filter(d -> Math.abs(d) > rounding).toArray();
        if (nonzero.length == 0) {
            return differences.length == 0 ? Double.NaN : 1;
        }
        int[] ranks = doubledRanks(nonzero, rounding);
        long positive = IntStream.range(0, nonzero.length)
                .filter(i -> nonzero[i] > 0)
                .mapToLong(i -> ranks[i])
                .sum();
        long total = Arrays.stream(ranks).asLongStream().sum();
        long smaller = Math.min(positive, total - positive);
        if (nonzero.length <= EXACT_RANKS) {
            return Math.min(1, 2 * shareUpTo(smaller, ranks, (int) total));
        }
        double variance = Arrays.stream(ranks).mapToDouble(r -> (double) r * r).sum() / 4; // each rank is there or not
        return Math.min(1, 2 * StandardNormal.above((0.5 * total - smaller) / Math.sqrt(variance)));
    }

    private static double rounding(double... differences) {
        return ROUNDING * Arrays.stream(differences).map(Math::abs).sum();
    }

    /** Twice the mean rank of each size: whole numbers, whatever is shared. */
    private static int[] doubledRanks(double[] values, double rounding) {
        Integer[] order = IntStream.range(0, values.length).boxed().toArray(Integer[]::new);
        Arrays.sort(order, Comparator.comparingDouble(i -> Math.abs(values[i])));
        int[] ranks = new int[values.length];
        for (int first = 0; first < order.length; ) {
            int end = first + 1;
            double shared = Math.abs(values[order[first]]) + rounding;
            while (end < order.length && Math.abs(values[order[end]]) <= shared) {
                end++;
            }
            for (int i = first; i < end; i++) {
                ranks[order[i]] = first + 1 + end;
            }
            first = end;
        }
        return ranks;
    }

    /** Share of all choices of ranks whose sum is at most the limit. */
    private static double shareUpTo(long limit, int[] ranks, int total) {
        double[] share = new double[total + 1]; // by sum, of the ranks so far
        share[0] = 1;
        int reached = 0;
        for (int rank : ranks) {
            reached += rank;
            for (int sum = reached; sum >= 0; sum--) {
                share[sum] = 0.5 * (share[sum] + (sum >= rank ? share[sum - rank] : 0));
            }
        }
        double below = 0;
        for (int sum = 0; sum <= limit; sum++) {
            below += share[sum];
        }
        return below;
    }

    /**
     * The permutation test of the mean difference: the share of sign choices whose mean is at least as far from 0. Goes through all
     * of them up to 16 differences; beyond, through random ones, the observed signs counted among them.
     *
     * @param differences finite
     * @param samples random sign choices beyond 16 differences
     * @return the p value; NaN without differences
     */
    public static double signFlip(double[] differences, int samples, long seed) {
        if (differences.length == 0) {
            return Double.NaN;
        }
        double observed = 0;
        for (double d : differences) {
            observed += d;
        }
        double limit = Math.abs(observed) - rounding(differences);
        boolean exact = differences.length <= EXACT_FLIPS;
        long choices = exact ? 1L << differences.length : samples;
        CounterRandom random = CounterRandom.of(seed, "sign flip", differences.length);
        long far = 0;
        for (long choice = 0; choice < choices; choice++) {
            double sum = exact ? flipped(differences, choice) : flipped(differences, random);
            far += Math.abs(sum) >= limit ? 1 : 0;
        }
        return exact ? (double) far / choices : (far + 1.0) / (choices + 1.0);
    }

    private static double flipped(double[] differences, long signs) {
        double sum = 0;
        for (int i = 0; i < differences.length; i++) {
            sum += (signs >>> i & 1) == 0 ? differences[i] : -differences[i];
        }
        return sum;
    }

    private static double flipped(double[] differences, CounterRandom random) {
        double sum = 0;
        long signs = 0;
        for (int i = 0; i < differences.length; i++) {
            signs = i % Long.SIZE == 0 ? random.bits() : signs >>> 1;
            sum += (signs & 1) == 0 ? differences[i] : -differences[i];
        }
        return sum;
    }

    /**
     * Holm's step-down adjustment for many tests: with these p values in place of the plain ones, the chance of any false finding
     * is at most the level. NaN stays NaN and does not count as a test.
     *
     * @return adjusted p values in the order given
     */
    public static double[] holm(double... p) {
        Integer[] order = IntStream.range(0, p.length)
                .filter(i -> !Double.isNaN(p[i]))
                .boxed()
                .sorted(Comparator.comparingDouble(i -> p[i]))
                .toArray(Integer[]::new);
        double[] adjusted = p.clone();
        double largest = 0;
        for (int k = 0; k < order.length; k++) {
            largest = Math.max(largest, Math.min(1, (order.length - k) * p[order[k]]));
            adjusted[order[k]] = largest;
        }
        return adjusted;
    }
}
