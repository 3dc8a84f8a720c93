package dev.voxgrad.engine.metric;

/** Two ends of a confidence interval; NaN when there are too few values for one. */
public record Interval(double low, double high) {
    /** No interval. */
    public static final Interval NONE = new Interval(Double.NaN, Double.NaN);
}
