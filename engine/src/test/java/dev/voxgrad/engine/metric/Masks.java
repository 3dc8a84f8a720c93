package dev.voxgrad.engine.metric;

import dev.voxgrad.engine.image.Grid;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Masks for the tests of metrics. */
final class Masks {
    private Masks() {}

    /** A mask with the voxels [from, to) of a box set. */
    static byte[] box(Grid grid, int[] from, int[] to) {
        byte[] mask = new byte[grid.voxels()];
        for (int z = from[0]; z < to[0]; z++) {
            for (int y = from[1]; y < to[1]; y++) {
                for (int x = from[2]; x < to[2]; x++) {
                    mask[(z * grid.height() + y) * grid.width() + x] = 1;
                }
            }
        }
        return mask;
    }

    /** Random balls that overlap each other and the border. */
    static byte[] balls(Grid grid, long seed, int count) {
        Random random = new Random(seed);
        byte[] mask = new byte[grid.voxels()];
        for (int ball = 0; ball < count; ball++) {
            int z0 = random.nextInt(grid.depth());
            int y0 = random.nextInt(grid.height());
            int x0 = random.nextInt(grid.width());
            int radius = 1 + random.nextInt(3);
            for (int i = 0; i < mask.length; i++) {
                int[] at = place(grid, i);
                int dz = at[0] - z0;
                int dy = at[1] - y0;
                int dx = at[2] - x0;
                mask[i] |= (byte) (dz * dz + dy * dy + dx * dx <= radius * radius ? 1 : 0);
            }
        }
        return mask;
    }

    /** The same voxels in another grid, moved. */
    static byte[] moved(byte[] mask, Grid from, Grid to, int dz, int dy, int dx) {
        byte[] moved = new byte[to.voxels()];
        for (int i = 0; i < mask.length; i++) {
            int[] at = place(from, i);
            if (mask[i] != 0) {
                moved[((at[0] + dz) * to.height() + at[1] + dy) * to.width() + at[2] + dx] = 1;
            }
        }
        return moved;
    }

    static int[] place(Grid grid, int flat) {
        return new int[] {
            flat / (grid.height() * grid.width()), flat / grid.width() % grid.height(), flat % grid.width()
        };
    }

    /** Flat positions of the voxels with background across a face; `axes` are the axes that have faces. */
    static List<Integer> surface(byte[] mask, Grid grid, int... axes) {
        int[] sizes = grid.sizes();
        int[] steps = {sizes[1] * sizes[2], sizes[2], 1};
        List<Integer> surface = new ArrayList<>();
        for (int i = 0; i < mask.length; i++) {
            boolean open = false;
            for (int axis : axes) {
                int at = place(grid, i)[axis];
                open |= at == 0 || mask[i - steps[axis]] == 0;
                open |= at == sizes[axis] - 1 || mask[i + steps[axis]] == 0;
            }
            if (mask[i] != 0 && open) {
                surface.add(i);
            }
        }
        return surface;
    }

    /** Ascending, from each position of one list the distance to the nearest one of the other. */
    static double[] nearest(List<Integer> from, List<Integer> to, Grid grid, double... spacing) {
        return from.stream()
                .mapToDouble(a -> to.stream()
                        .mapToDouble(b -> distance(place(grid, a), place(grid, b), spacing))
                        .min()
                        .orElse(Double.POSITIVE_INFINITY))
                .sorted()
                .toArray();
    }

    private static double distance(int[] a, int[] b, double... spacing) {
        double sum = 0;
        for (int axis = 2; axis >= 0; axis--) {
            double step = (a[axis] - b[axis]) * spacing[axis];
            sum += step * step;
        }
        return Math.sqrt(sum);
    }
}
