package dev.voxgrad.engine.infer;

import dev.voxgrad.engine.DataException;
import java.util.stream.IntStream;

/**
 * How uncertain a prediction is at each voxel, from 0 to 1, computed from probabilities p, for example those averaged over flips. With
 * several classes {@link #COMPLEMENT} and {@link #MARGIN} look at the largest probability of the foreground, classes 1 and up.
 */
public enum Uncertainty {
    /** |1 - p|: the "absolute inverse of the model's output"; it is 1 where background is certain. */
    COMPLEMENT,
    /** 1 - |2p - 1|: 0 where either is certain, 1 at p = 1/2. */
    MARGIN,
    /** The entropy divided by its maximum; probabilities clipped to [1e-12, 1 - 1e-12]. */
    ENTROPY;

    private static final double CLIP = 1e-12;

    /** Averages of rounded probabilities leave [0, 1] by less. */
    private static final double ROUNDING = 1e-4;

    private static final int BLOCK = 65536;

    /**
     * The map of a volume.
     *
     * @param probabilities channels innermost: of the foreground alone (1 channel, sigmoid), or of all classes with the background first
     * @param channels number of channels
     * @return one number per voxel
     * @throws DataException when a probability is not finite or not from 0 to 1
     */
    public float[] of(float[] probabilities, int channels) {
        if (channels < 1 || probabilities.length % channels != 0) {
            throw new IllegalArgumentException(
                    probabilities.length + " probabilities are no whole voxels of " + channels + " channels");
        }
        float[] map = new float[probabilities.length / channels];
        IntStream.range(0, (map.length + BLOCK - 1) / BLOCK).parallel().forEach(block -> {
            for (int voxel = block * BLOCK; voxel < Math.min(map.length, (block + 1L) * BLOCK); voxel++) {
                double value = channels == 1
                        ? ofForeground(checked(probabilities[voxel], voxel))
                        : ofClasses(probabilities, voxel, channels);
                map[voxel] = (float) Math.clamp(value, 0.0, 1.0);
            }
        });
        return map;
    }

    private double ofForeground(double p) {
        return switch (this) {
            case COMPLEMENT -> Math.abs(1 - p);
            case MARGIN -> 1 - Math.abs(2 * p - 1);
            case ENTROPY -> (information(p) + information(1 - p)) / Math.log(2);
        };
    }

    private double ofClasses(float[] probabilities, int voxel, int channels) {
        double largest = 0;
        double entropy = 0;
        for (int c = 0; c < channels; c++) {
            double p = checked(probabilities[voxel * channels + c], voxel);
            largest = c == 0 ? 0 : Math.max(largest, p);
            entropy += this == ENTROPY ? information(p) : 0;
        }
        return this == ENTROPY ? entropy / Math.log(channels) : ofForeground(largest);
    }

    /** -p ln p. */
    private static double information(double p) {
        double clipped = Math.clamp(p, CLIP, 1 - CLIP);
        return -clipped * Math.log(clipped);
    }

    private static double checked(float p, int voxel) {
        if (!(p >= -ROUNDING && p <= 1 + ROUNDING)) {
            throw new DataException("uncertainty: the probability " + p + " at voxel " + voxel
                    + " is not from 0 to 1; give probabilities, not logits");
        }
        return p;
    }
}
