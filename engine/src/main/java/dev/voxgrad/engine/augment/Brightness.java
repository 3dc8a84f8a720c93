package dev.voxgrad.engine.augment;

import dev.voxgrad.engine.plan.Intensity.Range;

/**
 * Multiplies each channel by its own factor.
 *
 * @param probability of taking part
 * @param factor bounds of the factor, drawn below 1 or above 1 with equal probability
 */
public record Brightness(double probability, Range factor) implements Transform {
    @Override
    public void apply(Patch patch, CounterRandom random) {
        if (!random.chance(probability)) {
            return;
        }
        for (int c = 0; c < patch.channels(); c++) {
            apply(patch, c, (float) Channel.factor(random, factor));
        }
    }

    static void apply(Patch patch, int channel, float f) {
        float[] x = patch.image();
        for (int i = channel; i < x.length; i += patch.channels()) {
            x[i] *= f;
        }
    }
}
