package dev.voxgrad.cli.data;

import dev.voxgrad.engine.image.Grid;

/**
 * A drawn head for machines without network: nested smooth shapes with the same labels, size and grey values as the real scan,
 * plus noise and a slow change of brightness. The two sides differ. The same bits on every machine.
 */
final class Phantom {
    private static final float WHITE = 112;
    private static final float FLUID = 59;
    private static final float[] GREY = {0, 89, 97, 85, 82};
    /** Of one voxel; block means of 27 voxels have a fifth of it, about that of the real scan. */
    private static final double NOISE_SIGMA = 9;

    private Phantom() {}

    static BrainScan draw() {
        Grid grid = BrainScan.GRID;
        float[] image = new float[grid.voxels()];
        short[] labels = new short[grid.voxels()];
        int i = 0;
        for (int z = 0; z < grid.depth(); z++) {
            for (int y = 0; y < grid.height(); y++) {
                for (int x = 0; x < grid.width(); x++, i++) {
                    paint(
                            x + BrainScan.ORIGIN_MM[0],
                            y + BrainScan.ORIGIN_MM[1],
                            z + BrainScan.ORIGIN_MM[2],
                            i,
                            image,
                            labels);
                }
            }
        }
        return new BrainScan(image, labels, false, "drawn phantom (no real data)");
    }

    /** One voxel; x right, y anterior, z superior in mm. */
    private static void paint(double x, double y, double z, int i, float[] image, short[] labels) {
        // The right side is a slightly larger, shifted and differently folded version of the left one.
        boolean right = x > 0;
        double u = Math.abs(x) * (right ? 0.96 : 1) + (right ? 0.5 : 0);
        double v = y + (right ? 2 : 0);
        double w = z - (right ? 1.5 : 0);
        double folds =
                0.05 * StrictMath.sin(0.21 * u + 0.13 * w + (right ? 1 : 0)) * StrictMath.sin(0.19 * v - 0.11 * w);
        double cerebrum = radius(u, v + 18, w - 14, 67, 84, 56) + 0.5 * folds;
        double cerebellum = radius(u, v + 62, w + 38, 46, 30, 22) + 0.4 * folds;
        double deep = radius(u - 20, v - 2 - 0.15 * u, w - 6, 10, 19, 11);
        double hippocampus = radius(u - 27 - 0.1 * v, v + 20, w + 15 - 0.006 * (v + 20) * (v + 20), 8, 20, 7);
        double ventricle = radius(u - 8, v + 14, w - 16, 5, 24, 7);
        float value;
        short label = 0;
        if (cerebellum < 1 && w < -17) {
            label = 4;
            value = GREY[4];
        } else if (cerebrum >= 1 || w < -40) {
            return;
        } else if (ventricle < 1) {
            value = FLUID;
        } else if (deep < 1) {
            label = 2;
            value = GREY[2];
        } else if (hippocampus < 1) {
            label = 3;
            value = GREY[3];
        } else if (cerebrum > 0.8 + 1.6 * folds) {
            label = 1;
            value = GREY[1];
        } else {
            value = WHITE;
        }
        double bias = 1 + 0.06 * StrictMath.sin(0.02 * x + 0.5) * StrictMath.cos(0.017 * y - 0.01 * z);
        labels[i] = label;
        image[i] = Math.max(1, (float) Math.rint(value * bias + NOISE_SIGMA * normal(i)));
    }

    private static double radius(double x, double y, double z, double a, double b, double c) {
        return Math.sqrt(x * x / (a * a) + y * y / (b * b) + z * z / (c * c));
    }

    /** Close to a standard normal number for each index: the sum of twelve 5-bit uniform numbers out of one hash. */
    private static double normal(int index) {
        // The finalizer of SplitMix64: every bit of the result depends on every bit of the index.
        long h = (index + 1) * 0x9e3779b97f4a7c15L;
        h = (h ^ (h >>> 30)) * 0xbf58476d1ce4e5b9L;
        h = (h ^ (h >>> 27)) * 0x94d049bb133111ebL;
        h ^= h >>> 31;
        int sum = 0;
        for (int k = 0; k < 12; k++) {
            sum += (int) (h >>> (5 * k)) & 31;
        }
        return (sum - 12 * 15.5) / 32;
    }
}
