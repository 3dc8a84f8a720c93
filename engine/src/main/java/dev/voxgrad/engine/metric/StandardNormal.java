package dev.voxgrad.engine.metric;

/** The standard normal distribution, to about 1e-14 relative, in the tails as well. */
final class StandardNormal {
    /** Density at 0. */
    private static final double PEAK = 1 / Math.sqrt(2 * Math.PI);

    /** Where the series hands over to the continued fraction: both have full precision here. */
    private static final double TAIL = 3;

    /** Beyond this the tail is below the smallest double. */
    private static final double END = 39;

    private StandardNormal() {}

    /** Share of the distribution below x. */
    static double below(double x) {
        return x < 0 ? above(-x) : 1 - above(x);
    }

    /** Share of the distribution above x. */
    static double above(double x) {
        if (x < -TAIL) {
            return 1 - tail(-x);
        }
        return x > TAIL ? tail(x) : 0.5 - centre(x);
    }

    /** Integral of the density from 0 to x: density(x) * (x + x^3/3 + x^5/15 + x^7/105 + ...), Marsaglia 2004. */
    private static double centre(double x) {
        double term = x;
        double sum = x;
        for (int i = 3; Math.abs(term) > 1e-17 * Math.abs(sum); i += 2) {
            term *= x * x / i;
            sum += term;
        }
        return density(x) * sum;
    }

    /** density(x) / (x + 1/(x + 2/(x + 3/(x + ...)))), Laplace; evaluated from the inside. */
    private static double tail(double x) {
        double fraction = x;
        for (int i = 200; i > 0; i--) {
            fraction = x + i / fraction;
        }
        return density(x) / fraction;
    }

    private static double density(double x) {
        return PEAK * StrictMath.exp(-0.5 * x * x);
    }

    /** The x with this share below it: bisection to the last bit, exact enough to need no table of coefficients. */
    static double quantile(double share) {
        if (!(share > 0 && share < 1)) {
            return share == 0 ? Double.NEGATIVE_INFINITY : share == 1 ? Double.POSITIVE_INFINITY : Double.NaN;
        }
        double low = -END;
        double high = END;
        double middle = 0;
        while (middle != low && middle != high) {
            if (below(middle) < share) {
                low = middle;
            } else {
                high = middle;
            }
            middle = 0.5 * (low + high);
        }
        return middle;
    }
}
