package dev.voxgrad.bench;

import java.util.SplittableRandom;

/** Random inputs that depend on the seed only. */
public final class Data {
    private Data() {}

    /** Standard normal numbers. */
    public static float[] normal(long seed, long count) {
        SplittableRandom random = new SplittableRandom(seed);
        float[] values = new float[Math.toIntExact(count)];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }

    /** Numbers from 0 to {@code bound - 1}. */
    public static byte[] integers(long seed, long count, int bound) {
        SplittableRandom random = new SplittableRandom(seed);
        byte[] values = new byte[Math.toIntExact(count)];
        for (int i = 0; i < values.length; i++) {
            values[i] = (byte) random.nextInt(bound);
        }
        return values;
    }
}
