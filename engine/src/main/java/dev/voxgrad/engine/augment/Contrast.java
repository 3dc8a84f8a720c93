package dev.voxgrad.engine.augment;

import dev.voxgrad.engine.plan.Intensity.Range;

/**
 * Scales the distance to the mean of each channel, (x - mean) f + mean, and clips to the channel's own range.
 *
 * @param probability of taking part
 * @param factor bounds of f, drawn below 1 or above 1 with equal probability
 */
public record Contrast(double probability, Range factor) implements Transform {
    @Override
    public void apply(Patch patch, CounterRandom random) {
        if (!random.chance(probability)) {
            return;
        }
        for (int c = 0; c < patch.channels(); c++) {
            apply(patch, c, Channel.factor(random, factor));
        }
    }

    static void apply(Patch patch, int channel, double f) {
        Channel s = Channel.of(patch, channel);
        float[] x = patch.image();
        for (int i = channel; i < x.length; i += patch.channels()) {
            x[i] = (float) Math.clamp((x[i] - s.mean()) * f + s.mean(), s.minimum(), s.maximum());
        }
    }
}
