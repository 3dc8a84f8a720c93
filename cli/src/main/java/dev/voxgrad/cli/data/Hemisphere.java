package dev.voxgrad.cli.data;

import dev.voxgrad.engine.image.Geometry;
import dev.voxgrad.engine.image.Grid;
import dev.voxgrad.engine.image.LabelVolume;
import dev.voxgrad.engine.image.Volume;
import java.util.List;

/**
 * One half of a head as a case of its own. The left half is mirrored, so that both have the midline at x = 0 and the same
 * geometry. Voxels of 1 mm become blocks: the mean of the intensities, the label of the centre voxel. The plane of the midline
 * (x = 90) belongs to neither, so no voxel is in both halves.
 */
record Hemisphere(Volume image, LabelVolume labels) {
    private static final int MIDLINE = 90;

    /** The mirrored left half. */
    static Hemisphere left(BrainScan scan, int blockMm) {
        return cut(scan, blockMm, true);
    }

    /** The right half. */
    static Hemisphere right(BrainScan scan, int blockMm) {
        return cut(scan, blockMm, false);
    }

    private static Hemisphere cut(BrainScan scan, int block, boolean left) {
        Grid fine = BrainScan.GRID;
        Grid grid = new Grid(fine.depth() / block, fine.height() / block, MIDLINE / block);
        float[] image = new float[grid.voxels()];
        short[] labels = new short[grid.voxels()];
        int i = 0;
        for (int z = 0; z < grid.depth(); z++) {
            for (int y = 0; y < grid.height(); y++) {
                for (int x = 0; x < grid.width(); x++, i++) {
                    image[i] = mean(scan.image(), z * block, y * block, x * block, block, left);
                    int c = block / 2;
                    labels[i] = scan.labels()[flat(z * block + c, y * block + c, x * block + c, left)];
                }
            }
        }
        Geometry geometry = geometry(block);
        return new Hemisphere(new Volume(List.of(image), grid, geometry), new LabelVolume(labels, grid, geometry));
    }

    private static float mean(float[] image, int z0, int y0, int x0, int block, boolean left) {
        double sum = 0;
        for (int z = z0; z < z0 + block; z++) {
            for (int y = y0; y < y0 + block; y++) {
                for (int x = x0; x < x0 + block; x++) {
                    sum += image[flat(z, y, x, left)];
                }
            }
        }
        return (float) (sum / (block * block * block));
    }

    /** Position in the head of a voxel of the half; x counts from the midline outwards. */
    private static int flat(int z, int y, int x, boolean left) {
        Grid fine = BrainScan.GRID;
        return (z * fine.height() + y) * fine.width() + (left ? MIDLINE - 1 - x : MIDLINE + 1 + x);
    }

    /** Of both halves: the right one's. */
    private static Geometry geometry(int block) {
        double centre = (block - 1) / 2.0;
        double[] o = BrainScan.ORIGIN_MM;
        double x = o[0] + MIDLINE + 1 + centre;
        return new Geometry(
                new double[] {block, block, block},
                new double[] {block, 0, 0, x, 0, block, 0, o[1] + centre, 0, 0, block, o[2] + centre, 0, 0, 0, 1});
    }
}
