package dev.voxgrad.engine.augment;

import dev.voxgrad.engine.PolarNormal;

/**
 * Random numbers keyed by where they are used: seed, purpose, epoch, iteration, sample and so on. The n-th number of a key is a
 * function of key and n alone, so results do not depend on the number of threads or on what was drawn elsewhere, and a resumed run
 * continues the same streams.
 *
 * <p>A number is mix(mix(n * phi + k0) + k1), with the 64 bit finaliser of SplitMix64 (Steele, Lea, Flood 2014) and a key of 128
 * bits; two rounds with two keys keep streams apart that SplitMix64 alone would let overlap.
 */
public final class CounterRandom {
    private static final long GOLDEN = 0x9e3779b97f4a7c15L;

    private final long k0;
    private final long k1;
    private long counter;
    private final PolarNormal normals = new PolarNormal(this::uniform);

    private CounterRandom(long k0, long k1) {
        this.k0 = k0;
        this.k1 = k1;
    }

    /**
     * The stream of a key.
     *
     * @param purpose what the numbers are for, such as {@code patch}
     * @param path numbers that tell streams of one purpose apart: epoch, iteration, sample
     */
    public static CounterRandom of(long seed, String purpose, long... path) {
        CounterRandom random = new CounterRandom(mix(seed + GOLDEN), mix(seed ^ 0x6a09e667f3bcc909L));
        for (int i = 0; i < purpose.length(); i++) {
            random = random.fork(purpose.charAt(i));
        }
        for (long step : path) {
            random = random.fork(step);
        }
        return random;
    }

    /** The stream of this key and one more number; it does not depend on what was drawn here. */
    public CounterRandom fork(long step) {
        return new CounterRandom(mix(mix(step + GOLDEN) + k0), mix(mix(step * GOLDEN + k1) ^ k0));
    }

    private static long mix(long z) {
        z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
        z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
        return z ^ (z >>> 31);
    }

    /** 64 random bits. */
    public long bits() {
        return mix(mix(counter++ * GOLDEN + k0) + k1);
    }

    /** A number in [0, 1) with 53 random bits. */
    public double uniform() {
        return (bits() >>> 11) * 0x1p-53;
    }

    /** A number in [low, high). */
    public double uniform(double low, double high) {
        return low + (high - low) * uniform();
    }

    /** A whole number in [low, high]. The bias is below 2^-32. */
    public int integer(int low, int high) {
        if (high < low) {
            throw new IllegalArgumentException("no whole number from " + low + " to " + high);
        }
        long count = (long) high - low + 1;
        return (int) (low + Math.unsignedMultiplyHigh(bits(), count));
    }

    /** True with this probability. */
    public boolean chance(double probability) {
        return uniform() < probability;
    }

    /** A standard normal number. */
    public double normal() {
        return normals.next();
    }
}
