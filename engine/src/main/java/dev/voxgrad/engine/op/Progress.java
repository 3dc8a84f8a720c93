package dev.voxgrad.engine.op;

/**
 * Where a training stands: in an epoch of all, before a step of it. All count from 0.
 *
 * @param epoch 0 to epochs - 1
 * @param epochs of the whole training, at least 1
 * @param step 0 to stepsPerEpoch - 1
 * @param stepsPerEpoch at least 1
 */
public record Progress(int epoch, int epochs, int step, int stepsPerEpoch) {
    /** Checks the ranges. */
    public Progress {
        if (epoch < 0 || epoch >= epochs || step < 0 || step >= stepsPerEpoch) {
            throw new IllegalArgumentException(
                    "epoch " + epoch + " of " + epochs + ", step " + step + " of " + stepsPerEpoch);
        }
    }

    /** The first step of an epoch, where only the epoch matters. */
    public static Progress ofEpoch(int epoch, int epochs) {
        return new Progress(epoch, epochs, 0, 1);
    }

    /** The same epoch at another step. */
    public Progress withStep(int other) {
        return new Progress(epoch, epochs, other, stepsPerEpoch);
    }

    /** Steps done before this one. */
    public long stepsDone() {
        return (long) epoch * stepsPerEpoch + step;
    }
}
