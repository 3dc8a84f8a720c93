package dev.voxgrad.engine.plan;

import dev.voxgrad.engine.PolarNormal;

/**
 * The MT19937 generator with the draws of numpy's {@code RandomState}, for results that must equal those of nnU-Net: splits and
 * foreground samples. Matsumoto and Nishimura 1998. Everything else uses counter-based random numbers.
 */
public final class LegacyRandom {
    private static final int N = 624;
    private static final int M = 397;

    private final int[] state = new int[N];
    private int index = N;
    private final PolarNormal normals = new PolarNormal(this::uniform);

    /** Seeded with a 32 bit integer, given as 0 to 2^32 - 1. */
    public LegacyRandom(long seed) {
        state[0] = (int) seed;
        for (int i = 1; i < N; i++) {
            state[i] = 1812433253 * (state[i - 1] ^ (state[i - 1] >>> 30)) + i;
        }
    }

    /** The next 32 random bits. */
    public int next() {
        if (index == N) {
            twist();
        }
        int y = state[index++];
        y ^= y >>> 11;
        y ^= (y << 7) & 0x9d2c5680;
        y ^= (y << 15) & 0xefc60000;
        return y ^ (y >>> 18);
    }

    private void twist() {
        for (int i = 0; i < N; i++) {
            int y = (state[i] & 0x80000000) | (state[(i + 1) % N] & 0x7fffffff);
            state[i] = state[(i + M) % N] ^ (y >>> 1) ^ ((y & 1) == 0 ? 0 : 0x9908b0df);
        }
        index = 0;
    }

    /** A whole number in [0, maximum]; maximum 0 consumes nothing. */
    public int bounded(int maximum) {
        if (maximum == 0) {
            return 0;
        }
        int mask = -1 >>> Integer.numberOfLeadingZeros(maximum);
        int value;
        do {
            value = next() & mask;
        } while (value > maximum);
        return value;
    }

    /** A number in [0, 1) with 53 random bits. */
    public double uniform() {
        long high = next() >>> 5;
        long low = next() >>> 6;
        return (high * 67108864.0 + low) / 9007199254740992.0;
    }

    /** A standard normal number. */
    public double normal() {
        return normals.next();
    }

    /** The numbers 0 to n - 1 in random order. */
    public int[] permutation(int n) {
        int[] order = new int[n];
        for (int i = 0; i < n; i++) {
            order[i] = i;
        }
        for (int i = n - 1; i > 0; i--) {
            int j = bounded(i);
            int t = order[i];
            order[i] = order[j];
            order[j] = t;
        }
        return order;
    }
}
