package dev.voxgrad.golden;

import tools.jackson.databind.JsonNode;

/**
 * How far a result may be from the expected one. Each element: {@code |got - want| <= atol + rtol * |want|}; the whole:
 * {@code norm(got - want) <= relL2 * norm(want)}, not asked for when infinite. Expected NaN and infinities must be met as
 * such. In label maps a {@code mismatchFraction} of the voxels may differ.
 */
public record Tolerance(double atol, double rtol, double relL2, double mismatchFraction) {
    /** Bit for bit, except that NaN equals NaN and 0 equals -0. */
    public static final Tolerance EXACT = new Tolerance(0, 0, Double.POSITIVE_INFINITY, 0);

    /** Reads {@code {rtol, atol, rel_l2}} or {@code {abs, rel, exact, seg_mismatch_fraction}}. */
    static Tolerance parse(JsonNode node) {
        return new Tolerance(
                node.path("atol").asDouble(node.path("abs").asDouble(0)),
                node.path("rtol").asDouble(node.path("rel").asDouble(0)),
                node.path("rel_l2").asDouble(Double.POSITIVE_INFINITY),
                node.path("seg_mismatch_fraction").asDouble(0));
    }

    /** The distance allowed from one expected value. */
    double allowed(double expected) {
        return atol + rtol * Math.abs(expected);
    }

    boolean accepts(double expected, double actual) {
        if (Double.isNaN(expected) || Double.isInfinite(expected)) {
            return Double.compare(expected, actual) == 0;
        }
        return Math.abs(actual - expected) <= allowed(expected);
    }

    @Override
    public String toString() {
        return "atol " + atol + ", rtol " + rtol
                + (Double.isFinite(relL2) ? ", rel_l2 " + relL2 : "")
                + (mismatchFraction > 0 ? ", mismatch fraction " + mismatchFraction : "");
    }
}
