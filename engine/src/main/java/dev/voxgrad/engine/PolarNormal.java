package dev.voxgrad.engine;

import java.util.function.DoubleSupplier;

/**
 * Standard normal numbers from uniform ones by Marsaglia's polar method, in the order of numpy's {@code RandomState}: two numbers come
 * from each pair of uniform ones that is accepted, the second of them first. StrictMath, so that every machine gets the same bits.
 */
public final class PolarNormal {
    private final DoubleSupplier uniform;
    private double spare = Double.NaN;

    /** Draws from a stream of numbers in [0, 1). */
    public PolarNormal(DoubleSupplier uniform) {
        this.uniform = uniform;
    }

    /** The next number. */
    public double next() {
        if (!Double.isNaN(spare)) {
            double value = spare;
            spare = Double.NaN;
            return value;
        }
        double x;
        double y;
        double r2;
        do {
            x = 2 * uniform.getAsDouble() - 1;
            y = 2 * uniform.getAsDouble() - 1;
            r2 = x * x + y * y;
        } while (r2 >= 1 || r2 == 0);
        double f = Math.sqrt(-2 * StrictMath.log(r2) / r2);
        spare = f * x;
        return f * y;
    }
}
