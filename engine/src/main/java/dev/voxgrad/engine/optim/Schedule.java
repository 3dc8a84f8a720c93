package dev.voxgrad.engine.optim;

/**
 * The learning rate as a function of the epoch or step index, from 0 to length - 1. It depends on the index only, so resuming needs
 * no state.
 */
public sealed interface Schedule {
    /**
     * The rate.
     *
     * @param index epoch or step, from 0
     * @param length number of epochs or steps
     */
    double rate(int index, int length);

    /** nnU-Net's: start * (1 - index/length)^power. */
    record Poly(double start, double power) implements Schedule {
        @Override
        public double rate(int index, int length) {
            return start * Math.pow(1 - (double) index / length, power);
        }
    }

    /** The same rate always. */
    record Constant(double start) implements Schedule {
        @Override
        public double rate(int index, int length) {
            return start;
        }
    }

    /** Half a cosine from start to end: end + (start - end)(1 + cos(pi index/length))/2. */
    record Cosine(double start, double end) implements Schedule {
        @Override
        public double rate(int index, int length) {
            return end + (start - end) * (1 + Math.cos(Math.PI * index / length)) / 2;
        }
    }

    /** Linear from start/warmUp to the start of another schedule, which then runs over what is left. */
    record WarmUp(int warmUp, Schedule then) implements Schedule {
        /** At least one index of warm-up, before a schedule that has none itself. */
        public WarmUp {
            if (warmUp < 1 || then instanceof WarmUp) {
                throw new IllegalArgumentException("warm-up of " + warmUp + " before " + then);
            }
        }

        @Override
        public double rate(int index, int length) {
            return index < warmUp
                    ? then.rate(0, length) * (index + 1) / warmUp
                    : then.rate(index - warmUp, length - warmUp);
        }
    }
}
