package dev.voxgrad.engine.infer;

import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.augment.CounterRandom;
import java.util.AbstractList;
import java.util.List;

/**
 * Noise at prediction time, see {@link NoiseFlipAverage}. The same numbers for every case of a size, so that a prediction can be repeated.
 *
 * @param rounds at least 1; each is a pass over the volume and one for every flip
 * @param sigma standard deviation in the normalised image, at least 0
 */
public record TestNoise(int rounds, double sigma) {
    /** Flips along y and x, each by itself. */
    static final List<Integer> FLIP_AXES = List.of(1, 2);

    /** Checks the ranges. */
    public TestNoise {
        if (rounds < 1) {
            throw new ConfigException("noise: " + rounds + " rounds; use at least 1");
        }
        if (!(sigma >= 0 && sigma < Double.POSITIVE_INFINITY)) {
            throw new ConfigException("noise: sigma " + sigma + " must be a number of at least 0");
        }
    }

    /** What each round adds to an image of {@code length} values; made when it is asked for, because a volume is large. */
    List<float[]> volumes(int length) {
        return new AbstractList<>() {
            @Override
            public float[] get(int round) {
                CounterRandom random = CounterRandom.of(0, "prediction noise", round);
                float[] noise = new float[length];
                for (int i = 0; i < length; i++) {
                    noise[i] = (float) (sigma * random.normal());
                }
                return noise;
            }

            @Override
            public int size() {
                return rounds;
            }
        };
    }
}
