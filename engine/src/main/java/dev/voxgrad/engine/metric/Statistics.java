package dev.voxgrad.engine.metric;

import java.util.Arrays;

/**
 * One metric over a set of cases. Values that are NaN (the metric does not exist for the case) or infinite (one of two surfaces is
 * missing) are counted and left out of the numbers.
 *
 * @param used finite values, which the other numbers are of
 * @param undefined values that are NaN
 * @param infinite values that are infinite
 * @param mean NaN if nothing is used, and so are median and quartiles
 * @param sd standard deviation of a sample (divided by used - 1), NaN below two values
 * @param median at position (used - 1) / 2 of the sorted values, linearly interpolated
 * @param lowerQuartile at position (used - 1) / 4
 * @param upperQuartile at position 3 (used - 1) / 4
 */
public record Statistics(
        int used,
        int undefined,
        int infinite,
        double mean,
        double sd,
        double median,
        double lowerQuartile,
        double upperQuartile) {

    /** The statistics of these values, in any order. */
    public static Statistics of(double... values) {
        double[] finite = finite(values);
        int undefined = (int) Arrays.stream(values).filter(Double::isNaN).count();
        double mean = mean(finite);
        double squares = 0;
        for (double value : finite) {
            squares += (value - mean) * (value - mean);
        }
        double[] sorted = finite.clone();
        Arrays.sort(sorted);
        return new Statistics(
                finite.length,
                undefined,
                values.length - finite.length - undefined,
                mean,
                finite.length < 2 ? Double.NaN : Math.sqrt(squares / (finite.length - 1)),
                quantile(sorted, 0.5),
                quantile(sorted, 0.25),
                quantile(sorted, 0.75));
    }

    /** The values that are neither NaN nor infinite, in their order. */
    static double[] finite(double... values) {
        return Arrays.stream(values).filter(Double::isFinite).toArray();
    }

    /** The plain mean; NaN of nothing. */
    static double mean(double... values) {
        double sum = 0;
        for (double value : values) {
            sum += value;
        }
        return sum / values.length;
    }

    /**
     * The value at position share * (n - 1) of sorted values, linearly interpolated: NumPy's default percentile, in its order of
     * rounding. NaN of nothing.
     */
    static double quantile(double[] sorted, double share) {
        if (sorted.length == 0) {
            return Double.NaN;
        }
        double position = share * (sorted.length - 1);
        int below = (int) position;
        if (below >= sorted.length - 1) {
            return sorted[sorted.length - 1];
        }
        double part = position - below;
        double step = sorted[below + 1] - sorted[below];
        return part < 0.5 ? sorted[below] + step * part : sorted[below + 1] - step * (1 - part);
    }
}
