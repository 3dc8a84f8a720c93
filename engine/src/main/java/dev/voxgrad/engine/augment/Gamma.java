package dev.voxgrad.engine.augment;

import dev.voxgrad.engine.plan.Intensity.Range;

/**
 * A gamma curve on each channel that keeps its mean and standard deviation:
 * y = ((x - min) / max(range, 1e-7))^g * range + min, then (y - mean y) * std x / max(std y, 1e-7) + mean x.
 *
 * @param probability of taking part
 * @param exponent bounds of g, drawn below 1 or above 1 with equal probability
 * @param inverted whether the curve works on -x; the sign is restored at the end
 */
public record Gamma(double probability, Range exponent, boolean inverted) implements Transform {
    private static final double EPSILON = 1e-7;

    @Override
    public void apply(Patch patch, CounterRandom random) {
        if (!random.chance(probability)) {
            return;
        }
        for (int c = 0; c < patch.channels(); c++) {
            apply(patch, c, Channel.factor(random, exponent), inverted);
        }
    }

    static void apply(Patch patch, int channel, double g, boolean inverted) {
        if (inverted) {
            Brightness.apply(patch, channel, -1);
        }
        Channel before = Channel.of(patch, channel);
        double range = before.maximum() - before.minimum();
        double scale = 1 / Math.max(range, EPSILON);
        float[] x = patch.image();
        for (int i = channel; i < x.length; i += patch.channels()) {
            x[i] = (float) (Math.pow((x[i] - before.minimum()) * scale, g) * range + before.minimum());
        }
        Channel after = Channel.of(patch, channel);
        double ratio = before.deviation() / Math.max(after.deviation(), EPSILON);
        double sign = inverted ? -1 : 1;
        for (int i = channel; i < x.length; i += patch.channels()) {
            x[i] = (float) (sign * ((x[i] - after.mean()) * ratio + before.mean()));
        }
    }
}
