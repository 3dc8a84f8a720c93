package dev.voxgrad.engine.optim;

import java.util.OptionalDouble;

/**
 * Exponential moving average of a number, for example nnU-Net's pseudo Dice: the first value starts it, then
 * average = keep * average + (1 - keep) * value.
 *
 * @param keep weight of the past, nnU-Net: 0.9
 * @param average so far, empty before the first value
 */
public record MovingAverage(double keep, OptionalDouble average) {
    /** Checks the weight. */
    public MovingAverage {
        if (!(keep >= 0 && keep < 1)) {
            throw new IllegalArgumentException("moving average: weight of the past " + keep + " is not in [0, 1)");
        }
    }

    /** An average without values. */
    public static MovingAverage start(double keep) {
        return new MovingAverage(keep, OptionalDouble.empty());
    }

    /** The average after one more value. */
    public MovingAverage with(double value) {
        double next = average.isEmpty() ? value : keep * average.getAsDouble() + (1 - keep) * value;
        return new MovingAverage(keep, OptionalDouble.of(next));
    }
}
