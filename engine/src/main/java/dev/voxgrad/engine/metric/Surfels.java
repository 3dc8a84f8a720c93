package dev.voxgrad.engine.metric;

import dev.voxgrad.engine.image.Grid;

/**
 * Surface elements of a mask at the corner points of the voxel grid, one point more than voxels along each axis.
 *
 * @param codes the voxels around each corner point, see {@link SurfelTable}
 * @param corners shape of the grid of corner points; depth 1 for a picture
 * @param all the code inside the mask
 */
@SuppressWarnings("ArrayRecordComponent") // a plain carrier, never compared as a whole
record Surfels(byte[] codes, Grid corners, int all) {
    /** Finds the codes; outside the grid is background. */
    static Surfels of(byte[] mask, Grid grid, boolean planar) {
        int h = grid.height() + 1;
        int w = grid.width() + 1;
        Grid corners = new Grid(planar ? 1 : grid.depth() + 1, h, w);
        byte[] codes = new byte[corners.voxels()];
        byte[] slice = new byte[h * w];
        byte[] before = new byte[h * w]; // codes of the slice below, 0 outside
        for (int z = 0; z < corners.depth(); z++) {
            for (int y = 0; y < h; y++) {
                row(mask, grid, z, y, slice);
            }
            for (int i = 0, to = z * h * w; i < slice.length; i++, to++) {
                codes[to] = (byte) (before[i] << 4 | slice[i]);
            }
            byte[] free = before;
            before = slice;
            slice = free;
        }
        return new Surfels(codes, corners, planar ? 0xf : 0xff);
    }

    /** Codes 8 4 2 1 of one row of corner points from the two rows of voxels at it. */
    private static void row(byte[] mask, Grid grid, int z, int y, byte[] slice) {
        int w = grid.width();
        boolean upper = z < grid.depth() && y > 0;
        boolean lower = z < grid.depth() && y < grid.height();
        int start = (z * grid.height() + y) * w;
        int code = 0;
        for (int x = 0; x <= w; x++) {
            code = (code & 0b0101) << 1; // what was right is left now
            if (x < w) {
                code |= upper && mask[start - w + x] != 0 ? 4 : 0;
                code |= lower && mask[start + x] != 0 ? 1 : 0;
            }
            slice[y * (w + 1) + x] = (byte) code;
        }
    }

    /** 1 at each corner point with mask and background around it. */
    byte[] border() {
        byte[] border = new byte[codes.length];
        for (int i = 0; i < border.length; i++) {
            border[i] = (byte) (codes[i] != 0 && Byte.toUnsignedInt(codes[i]) != all ? 1 : 0);
        }
        return border;
    }
}
