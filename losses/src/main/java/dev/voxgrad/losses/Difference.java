package dev.voxgrad.losses;

import java.util.function.DoubleUnaryOperator;

/**
 * A derivative at 0 from central differences with Richardson extrapolation over halved steps (Ridders 1982). Halving trades the error
 * of the formula for that of rounding; the table shows where the two meet. A kink inside the steps shows in second differences: divided
 * by the step they halve with it where the function is smooth, and do not where its slope jumps.
 *
 * @param value of the derivative
 * @param error estimate of its absolute error
 */
record Difference(double value, double error) {
    private static final int LEVELS = 4;

    /**
     * The derivative of a function at 0.
     *
     * @param step the largest one, a power of two so that float32 logits move by it exactly
     * @param noise absolute rounding error of the function
     */
    static Difference at(DoubleUnaryOperator f, double step, double noise) {
        double[][] table = new double[LEVELS][LEVELS];
        Difference best = new Difference(Double.NaN, Double.POSITIVE_INFINITY);
        double h = step;
        double middle = f.applyAsDouble(0);
        double bend = 0;
        double kink = 0;
        for (int i = 0; i < LEVELS; i++, h /= 2) {
            double up = f.applyAsDouble(h) - middle;
            double down = f.applyAsDouble(-h) - middle;
            table[i][0] = (up - down) / (2 * h);
            kink = i == 0 ? 0 : Math.max(kink, Math.abs(bend - 2 * (up + down) / h) / 2);
            bend = (up + down) / h;
            double power = 1;
            for (int j = 1; j <= i; j++) {
                power *= 4;
                table[i][j] = (power * table[i][j - 1] - table[i - 1][j - 1]) / (power - 1);
                double change =
                        Math.max(Math.abs(table[i][j] - table[i][j - 1]), Math.abs(table[i][j] - table[i - 1][j - 1]));
                double error = change + noise / h;
                if (error < best.error) {
                    best = new Difference(table[i][j], error);
                }
            }
        }
        return new Difference(best.value, Math.max(best.error, kink));
    }
}
