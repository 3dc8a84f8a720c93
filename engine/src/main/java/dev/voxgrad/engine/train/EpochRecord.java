package dev.voxgrad.engine.train;

import java.util.List;

/**
 * What one epoch gave; one line of {@code training_log.jsonl}. Numbers that do not exist are null: no step taken, no
 * validation cases, or a class that occurs in neither reference nor prediction.
 *
 * @param epoch index from 0
 * @param trainLoss mean loss of the steps taken
 * @param validationLoss mean loss of the validation batches
 * @param meanDice pseudo Dice, mean over the foreground classes
 * @param emaDice its moving average, which selects the best checkpoint
 * @param dicePerClass pseudo Dice of each foreground class
 * @param learningRate of the last step of this epoch
 * @param gradientNorm mean norm before clipping, of the steps taken
 * @param skippedSteps steps left out because loss or gradient was not finite
 * @param seconds wall time
 */
public record EpochRecord(
        int epoch,
        Double trainLoss,
        Double validationLoss,
        Double meanDice,
        Double emaDice,
        List<Double> dicePerClass,
        double learningRate,
        Double gradientNorm,
        int skippedSteps,
        double seconds) {}
