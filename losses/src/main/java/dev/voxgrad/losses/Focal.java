package dev.voxgrad.losses;

import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.op.VoxelLosses;

/**
 * The focal loss for softmax (Lin et al. 2017), the mean over the voxels that count of (1 - p)^gamma (-log p) with p the probability of
 * the voxel's own class; 0 when no voxel counts. With gamma 0 it is the cross entropy.
 *
 * @param gamma at least 0
 */
public record Focal(double gamma) implements VoxelTerm {
    private static final double GAMMA = 2;

    /** Checks the range. */
    public Focal {
        if (!(gamma >= 0 && gamma < Double.POSITIVE_INFINITY)) {
            throw new ConfigException("focal: gamma " + gamma + " must be a number of at least 0");
        }
    }

    static Focal parse(Arguments arguments) {
        return new Focal(arguments.positional(0, "gamma", GAMMA));
    }

    @Override
    public double evaluate(VoxelLosses losses, double weight) {
        double voxels = 0;
        for (int sample = 0; sample < losses.samples(); sample++) {
            voxels += losses.counted(sample);
        }
        return voxels == 0 ? 0 : losses.map(weight / voxels, new OfCrossEntropy(gamma));
    }

    /** (1 - exp(-x))^gamma x. */
    private record OfCrossEntropy(double gamma) implements VoxelLosses.Function {
        private static final double SMALL = 0.015625;

        @Override
        public double evaluate(double x, double[] derivative) {
            double p = Math.exp(-x);
            double q = x < SMALL ? series(x) : 1 - p;
            double power = power(q);
            double quotient = x == 0 ? 1 : x / q; // its limit; q^(gamma - 1) alone may be infinite
            derivative[0] = power * (1 + gamma * p * quotient);
            return power * x;
        }

        /** 1 - exp(-x) below {@link #SMALL} to 1e-14 of itself, without the digits that 1 - p loses; expm1 takes several times as long. */
        private static double series(double x) {
            return x * (1 - x / 2 * (1 - x / 3 * (1 - x / 4 * (1 - x / 5 * (1 - x / 6)))));
        }

        /** q^gamma; products for the exponents in use, which are several times faster than pow. */
        private double power(double q) {
            if (gamma == 2) {
                return q * q;
            }
            if (gamma == 1) {
                return q;
            }
            if (gamma == 3) {
                return q * q * q;
            }
            return gamma == 0 ? 1 : Math.pow(q, gamma);
        }
    }

    @Override
    public String toString() {
        return new TermText("focal").positional("gamma", gamma, GAMMA).toString();
    }
}
