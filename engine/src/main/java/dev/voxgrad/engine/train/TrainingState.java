package dev.voxgrad.engine.train;

import dev.voxgrad.engine.optim.MovingAverage;
import java.util.OptionalDouble;

/**
 * Where a run stands, beside weights and optimizer state. Random numbers need no state: they are functions of the plan's seed and the
 * position.
 *
 * @param finishedEpochs number of epochs done, the index of the next one
 * @param emaDice moving average of the pseudo Dice, null before the first
 * @param bestDice largest moving average so far, null before the first
 * @param epochsSinceBest for early stopping
 */
record TrainingState(int finishedEpochs, Double emaDice, Double bestDice, int epochsSinceBest) {
    /** Weight of the past in the moving average, as in nnU-Net. */
    private static final double KEEP = 0.9;

    static final TrainingState START = new TrainingState(0, null, null, 0);

    /** The state after an epoch; a mean Dice of null (nothing to compare) keeps the average. */
    TrainingState after(Double meanDice) {
        Double ema = meanDice == null
                ? emaDice
                : Double.valueOf(average().with(meanDice).average().orElseThrow());
        boolean better = ema != null && (bestDice == null || ema > bestDice);
        return new TrainingState(finishedEpochs + 1, ema, better ? ema : bestDice, better ? 0 : epochsSinceBest + 1);
    }

    private MovingAverage average() {
        return new MovingAverage(KEEP, emaDice == null ? OptionalDouble.empty() : OptionalDouble.of(emaDice));
    }

    /** True when the last epoch brought the best average so far. */
    boolean isBest() {
        return emaDice != null && epochsSinceBest == 0;
    }
}
