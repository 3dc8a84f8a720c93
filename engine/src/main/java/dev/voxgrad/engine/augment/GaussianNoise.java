package dev.voxgrad.engine.augment;

import dev.voxgrad.engine.plan.Intensity.Range;

/**
 * Adds sigma * N(0, 1) to every value: fresh numbers for each voxel and channel, one sigma for all.
 *
 * @param probability of taking part
 * @param sigma bounds of its uniform draw
 */
public record GaussianNoise(double probability, Range sigma) implements Transform {
    @Override
    public void apply(Patch patch, CounterRandom random) {
        if (!random.chance(probability)) {
            return;
        }
        double s = random.uniform(sigma.low(), sigma.high());
        float[] x = patch.image();
        for (int i = 0; i < x.length; i++) {
            x[i] += (float) (s * random.normal());
        }
    }
}
