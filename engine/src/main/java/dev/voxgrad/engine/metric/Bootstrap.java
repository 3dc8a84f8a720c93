package dev.voxgrad.engine.metric;

import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.augment.CounterRandom;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/**
 * Confidence intervals of a mean over cases by drawing the cases again, with replacement. The draws are a function of the seed and
 * the number of cases alone: the same for every metric, and on every machine.
 *
 * @param samples draws of a whole set of cases
 * @param level share of the intervals that hold the true mean, such as 0.95
 * @param method how the ends are read off the means of the draws
 */
public record Bootstrap(int samples, double level, long seed, Method method) {
    /** How an interval is read off the means of the draws (Efron and Tibshirani, An Introduction to the Bootstrap, 1993). */
    public enum Method {
        /** Their quantiles at (1 - level) / 2 and (1 + level) / 2. */
        PERCENTILE,
        /** Quantiles moved for bias and skewness (bias corrected and accelerated), for scores that crowd at one end. */
        BCA
    }

    /** Fewer draws say nothing about the tails that ends are read off. */
    private static final int FEWEST = 100;

    /** The ends of wider intervals lie beyond what any practical number of draws reaches. */
    private static final double WIDEST = 0.9999;

    /** 2000 draws, 95 %, BCa. */
    public static Bootstrap standard(long seed) {
        return new Bootstrap(2000, 0.95, seed, Method.BCA);
    }

    /** Checks the ranges. */
    public Bootstrap {
        if (samples < FEWEST) {
            throw new ConfigException("bootstrap: " + samples + " samples; at least " + FEWEST + " are needed");
        }
        if (!(level > 0 && level <= WIDEST)) {
            throw new ConfigException("bootstrap: a level of " + level + "; it must be above 0 and at most " + WIDEST);
        }
    }

    /** As it is recorded in a summary. */
    public Map<String, Object> toJson() {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("samples", samples);
        json.put("level", level);
        json.put("seed", seed);
        json.put("method", method.name().toLowerCase(Locale.ROOT));
        return json;
    }

    /** The interval of the mean of the finite values; none below two of them. */
    public Interval ofMean(double... values) {
        double[] finite = Statistics.finite(values);
        if (finite.length < 2) {
            return Interval.NONE;
        }
        double[] means = new double[samples];
        CounterRandom random = CounterRandom.of(seed, "bootstrap", finite.length);
        for (int s = 0; s < samples; s++) {
            double sum = 0;
            for (int i = 0; i < finite.length; i++) {
                sum += finite[random.integer(0, finite.length - 1)];
            }
            means[s] = sum / finite.length;
        }
        Arrays.sort(means);
        return ends(means, finite);
    }

    /** Reads the ends off the sorted means of the draws from these values. */
    Interval ends(double[] sortedMeans, double[] values) {
        double low = (1 - level) / 2;
        double high = 1 - low;
        // Equal values have one mean; rounding of the sums must not decide where it lies.
        if (Arrays.stream(values).allMatch(v -> v == values[0])) {
            return new Interval(values[0], values[0]);
        }
        if (method == Method.BCA) {
            double bias = bias(sortedMeans, Statistics.mean(values));
            double acceleration = acceleration(values);
            low = moved(low, bias, acceleration);
            high = moved(high, bias, acceleration);
        }
        return new Interval(Statistics.quantile(sortedMeans, low), Statistics.quantile(sortedMeans, high));
    }

    /** Normal quantile of the share of draws below the mean, equal ones counted half; kept finite. */
    private static double bias(double[] sortedMeans, double mean) {
        int below = 0;
        int equal = 0;
        for (double m : sortedMeans) {
            below += m < mean ? 1 : 0;
            equal += m == mean ? 1 : 0;
        }
        double share = (below + 0.5 * equal) / sortedMeans.length;
        double edge = 0.5 / sortedMeans.length;
        return StandardNormal.quantile(Math.clamp(share, edge, 1 - edge));
    }

    /**
     * Sum of cubes over 6 times the sum of squares to the power of 3/2, of the jackknife deviations; for a mean these are the
     * deviations of the values divided by n - 1, and the divisor cancels.
     */
    private static double acceleration(double... values) {
        double mean = Statistics.mean(values);
        double squares = 0;
        double cubes = 0;
        for (double value : values) {
            double d = value - mean;
            squares += d * d;
            cubes += d * d * d;
        }
        return cubes / (6 * squares * Math.sqrt(squares));
    }

    /** The share to read instead of this one; beyond the pole of Efron's formula its limit, an end of the draws. */
    static double moved(double share, double bias, double acceleration) {
        double z = bias + StandardNormal.quantile(share);
        double divisor = 1 - acceleration * z;
        return divisor > 0 ? StandardNormal.below(bias + z / divisor) : z > 0 ? 1 : 0;
    }
}
