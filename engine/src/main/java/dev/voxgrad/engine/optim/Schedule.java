package dev.voxgrad.engine.optim;

import java.util.List;

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

    /**
     * Falls by a factor at each milestone.
     *
     * @param milestones ascending indices from which on the rate is multiplied by gamma once more
     */
    record Step(double start, List<Integer> milestones, double gamma) implements Schedule {
        /** Keeps a copy of the list. */
        public Step {
            milestones = List.copyOf(milestones);
        }

        @Override
        public double rate(int index, int length) {
            long passed = milestones.stream().filter(m -> m <= index).count();
            return start * Math.pow(gamma, passed);
        }
    }

    /**
     * Ranger21's, by step: linear rise, constant, linear fall to a floor. Where both overlap the fall wins.
     *
     * @param warmUp steps until the full rate; 0 = none
     * @param warmDownStart share of the run after which the rate falls; 1 = never
     * @param floor rate of the last step
     */
    record WarmUpWarmDown(double start, int warmUp, double warmDownStart, double floor) implements Schedule {
        /** Share of the run that an automatic warm-up takes where its usual length is too long. */
        private static final double SHORT_WARM_UP = 0.22;

        /** The usual length is too long when it takes more than this share of the run. */
        private static final double LONGEST_WARM_UP = 0.45;

        /**
         * The public code's length of the warm-up: 2/(1 - beta2) steps, or 22 % of a run that is too short for it.
         *
         * @param length number of steps
         */
        public static int automaticWarmUp(double beta2, int length) {
            double usual = Math.ceil(2 / (1 - beta2));
            return (int) (usual > LONGEST_WARM_UP * length ? SHORT_WARM_UP * length : usual);
        }

        @Override
        public double rate(int index, int length) {
            int step = index + 1;
            int fall = (int) (warmDownStart * length);
            if (warmDownStart < 1 && step >= fall) {
                double share = Math.min(1, (step + 1.0 - fall) / (length - fall + 1));
                return Math.max(start - (start - floor) * share, floor);
            }
            return step < warmUp ? start * step / warmUp : start;
        }
    }
}
