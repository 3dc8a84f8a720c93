package dev.voxgrad.engine.infer;

import dev.voxgrad.engine.op.Triple;
import java.util.Arrays;

/** Weights of the voxels of a tile, [z][y][x]: the centre, seen with the most context, counts most. */
public enum ImportanceMap {
    /** exp(-0.5 sum ((i - c)/(t/8))^2) with c = t div 2, scaled to a maximum of 10. */
    NNUNET_GAUSSIAN {
        @Override
        public float[] weights(Triple tile) {
            float[] map = product(
                    axis(tile.d(), tile.d() / 2), axis(tile.h(), tile.h() / 2), axis(tile.w(), tile.w() / 2), 10);
            // Entries that underflow would make the weight sum 0.
            float smallest = Float.POSITIVE_INFINITY;
            for (float value : map) {
                smallest = value > 0 ? Math.min(smallest, value) : smallest;
            }
            return raise(map, smallest);
        }
    },
    /** exp(-0.5 sum ((i - c)/(t/8))^2) with c = (t - 1)/2, every value at least max(smallest value, 0.001). */
    MONAI_GAUSSIAN {
        @Override
        public float[] weights(Triple tile) {
            float[] map = product(
                    axis(tile.d(), (tile.d() - 1) / 2.0),
                    axis(tile.h(), (tile.h() - 1) / 2.0),
                    axis(tile.w(), (tile.w() - 1) / 2.0),
                    1);
            return raise(map, 1e-3f);
        }
    },
    /** All voxels alike. */
    ONES {
        @Override
        public float[] weights(Triple tile) {
            float[] map = new float[tile.d() * tile.h() * tile.w()];
            Arrays.fill(map, 1);
            return map;
        }
    };

    /** The weights for a tile size, all positive. */
    public abstract float[] weights(Triple tile);

    private static double[] axis(int t, double centre) {
        double[] values = new double[t];
        double sigma = t / 8.0;
        for (int i = 0; i < t; i++) {
            double distance = (i - centre) / sigma;
            values[i] = StrictMath.exp(-0.5 * distance * distance);
        }
        return values;
    }

    private static float[] product(double[] z, double[] y, double[] x, double scale) {
        float[] map = new float[z.length * y.length * x.length];
        int i = 0;
        for (double a : z) {
            for (double b : y) {
                for (double c : x) {
                    map[i++] = (float) (scale * a * b * c);
                }
            }
        }
        return map;
    }

    private static float[] raise(float[] map, float minimum) {
        for (int i = 0; i < map.length; i++) {
            map[i] = Math.max(map[i], minimum);
        }
        return map;
    }
}
