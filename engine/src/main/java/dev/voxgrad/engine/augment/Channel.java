package dev.voxgrad.engine.augment;

import dev.voxgrad.engine.plan.Intensity.Range;

/** Statistics of one channel of a patch, in double; the deviation has n - 1 in the denominator. */
record Channel(double mean, double deviation, double minimum, double maximum) {
    static Channel of(Patch patch, int channel) {
        float[] x = patch.image();
        int step = patch.channels();
        int count = x.length / step;
        double sum = 0;
        float low = Float.POSITIVE_INFINITY;
        float high = Float.NEGATIVE_INFINITY;
        for (int i = channel; i < x.length; i += step) {
            sum += x[i];
            low = Math.min(low, x[i]);
            high = Math.max(high, x[i]);
        }
        double mean = sum / count;
        double squares = 0;
        for (int i = channel; i < x.length; i += step) {
            double d = x[i] - mean;
            squares += d * d;
        }
        return new Channel(mean, Math.sqrt(squares / Math.max(1, count - 1)), low, high);
    }

    /** A factor from [low, high] around 1: with probability 0.5 from [low, 1], else from [1, high], uniform in each. */
    static double factor(CounterRandom random, Range range) {
        return random.chance(0.5) ? random.uniform(range.low(), 1) : random.uniform(1, range.high());
    }
}
