package dev.voxgrad.engine.metric;

import dev.voxgrad.engine.image.Grid;

/** Which foreground voxels are surface. Outside the image is background, so a mask that touches the border has surface there. */
public enum Surface {
    /** Voxels with a background neighbour across a face: 6 in volumes, 4 in pictures. */
    FACES,
    /** The same within each slice z only, as the scripts of several challenges (ADAM, WMH) have it. */
    IN_PLANE;

    /**
     * Marks the surface voxels of a mask.
     *
     * @param mask not 0 is foreground
     * @param planar whether the grid is a picture, without faces along z
     */
    byte[] of(byte[] mask, Grid grid, boolean planar) {
        boolean through = this == FACES && !planar;
        byte[] surface = new byte[mask.length];
        int h = grid.height();
        int w = grid.width();
        int slice = h * w;
        for (int z = 0, i = 0; z < grid.depth(); z++) {
            boolean outerSlice = z == 0 || z == grid.depth() - 1;
            for (int y = 0; y < h; y++) {
                boolean outerRow = y == 0 || y == h - 1 || through && outerSlice;
                for (int x = 0; x < w; x++, i++) {
                    if (mask[i] == 0) {
                        continue;
                    }
                    boolean inside = !outerRow
                            && x > 0
                            && x < w - 1
                            && mask[i - 1] != 0
                            && mask[i + 1] != 0
                            && mask[i - w] != 0
                            && mask[i + w] != 0
                            && (!through || mask[i - slice] != 0 && mask[i + slice] != 0);
                    surface[i] = (byte) (inside ? 0 : 1);
                }
            }
        }
        return surface;
    }
}
