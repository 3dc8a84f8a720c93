package dev.voxgrad.engine.nn;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Start values of parameters. A value depends on seed, parameter name and position only, so the order of layers and other
 * layers never matter. Norms start with weight 1 and bias 0. Fan-in and fan-out are PyTorch's: second and first axis of the
 * PyTorch tensor times the kernel's voxels, for transposed convolutions too.
 */
public enum Initializer {
    /** nnU-Net: normal with standard deviation sqrt(2/(1 + 0.01^2)/fanIn), biases 0 (He et al. 2015 for leaky ReLU). */
    HE_LEAKY,
    /** The same, and the norm at the end of each residual branch starts with weight 0 (Goyal et al. 2017). */
    HE_LEAKY_ZERO_BRANCH,
    /** Uniform in +-sqrt(6/(fanIn + fanOut)), biases 0 (Glorot and Bengio 2010). */
    XAVIER_UNIFORM,
    /** Weights and biases uniform in +-1/sqrt(fanIn), the default of PyTorch's convolutions. */
    PYTORCH_DEFAULT;

    /** The slope that nnU-Net initializes for. */
    private static final double SLOPE = 0.01;

    float[] values(ParameterSpec spec, long seed) {
        float[] values = new float[Math.toIntExact(spec.shape().elements())];
        switch (spec.role()) {
            case NORM_WEIGHT -> Arrays.fill(values, 1);
            case BRANCH_NORM_WEIGHT -> Arrays.fill(values, this == HE_LEAKY_ZERO_BRANCH ? 0 : 1);
            case NORM_BIAS -> {} // zeros
            case BIAS -> {
                if (this == PYTORCH_DEFAULT) {
                    uniform(values, bound(spec), new Stream(seed, spec.name()));
                }
            }
            case WEIGHT -> {
                Stream stream = new Stream(seed, spec.name());
                if (this == HE_LEAKY || this == HE_LEAKY_ZERO_BRANCH) {
                    normal(values, Math.sqrt(2 / (1 + SLOPE * SLOPE) / spec.fanIn()), stream);
                } else {
                    uniform(values, bound(spec), stream);
                }
            }
        }
        return values;
    }

    private double bound(ParameterSpec spec) {
        double fanOut = (double) spec.shape().n() * spec.shape().voxels();
        return this == XAVIER_UNIFORM ? Math.sqrt(6 / (spec.fanIn() + fanOut)) : 1 / Math.sqrt(spec.fanIn());
    }

    private static void uniform(float[] values, double bound, Stream stream) {
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) ((2 * stream.uniform(i) - 1) * bound);
        }
    }

    /** Box and Muller in float64; each pair of numbers gives a pair of values. */
    private static void normal(float[] values, double deviation, Stream stream) {
        for (int i = 0; i < values.length; i += 2) {
            double radius = deviation * Math.sqrt(-2 * Math.log(stream.uniform(i)));
            double angle = 2 * Math.PI * stream.uniform(i + 1L);
            values[i] = (float) (radius * Math.cos(angle));
            if (i + 1 < values.length) {
                values[i + 1] = (float) (radius * Math.sin(angle));
            }
        }
    }

    /** The sequence of SplitMix64 (Steele, Lea, Flood 2014) addressed by position, keyed by seed and name. */
    private static final class Stream {
        private static final long STEP = 0x9E3779B97F4A7C15L;
        private final long key;

        Stream(long seed, String name) {
            long k = mix(seed + STEP);
            for (byte b : name.getBytes(StandardCharsets.UTF_8)) {
                k = mix(k + (b & 0xFF) + STEP);
            }
            this.key = k;
        }

        /** Number {@code index} of the sequence, uniform in the open interval (0, 1). */
        double uniform(long index) {
            return ((mix(key + (index + 1) * STEP) >>> 11) + 0.5) * 0x1p-53;
        }

        private static long mix(long z) {
            long a = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
            long b = (a ^ (a >>> 27)) * 0x94D049BB133111EBL;
            return b ^ (b >>> 31);
        }
    }
}
