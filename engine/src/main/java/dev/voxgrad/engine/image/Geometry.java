package dev.voxgrad.engine.image;

import dev.voxgrad.engine.ShapeException;
import java.util.Arrays;

/**
 * Where the voxels of a volume lie: spacing z, y, x in millimetres and the 4x4 affine, row-major, that maps voxel
 * (x, y, z, 1) to world coordinates (right, anterior, superior) in the unit of the file.
 */
public final class Geometry {
    private static final int ROW = 4;

    private final double[] spacingMm;
    private final double[] affine;

    /**
     * Spacing of three axes and an affine of 16 numbers.
     *
     * @throws ShapeException for other counts, or a spacing that is not positive and finite
     */
    public Geometry(double[] spacingMm, double[] affine) {
        if (spacingMm.length != 3 || affine.length != ROW * ROW) {
            throw new ShapeException("geometry: needs 3 spacings and 16 affine entries, got " + spacingMm.length
                    + " and " + affine.length);
        }
        for (double s : spacingMm) {
            if (!(s > 0) || Double.isInfinite(s)) {
                throw new ShapeException("geometry: spacing must be positive, got " + Arrays.toString(spacingMm));
            }
        }
        this.spacingMm = spacingMm.clone();
        this.affine = affine.clone();
    }

    /** Axes along the world's, voxel (0, 0, 0) at the origin; spacing is z, y, x in millimetres. */
    public static Geometry ofSpacing(double... spacingMm) {
        double[] affine = new double[ROW * ROW];
        for (int axis = 0; axis < 3 && spacingMm.length == 3; axis++) {
            affine[axis * (ROW + 1)] = spacingMm[2 - axis];
        }
        affine[affine.length - 1] = 1;
        return new Geometry(spacingMm, affine);
    }

    /** Voxel spacing z, y, x in millimetres. */
    public double[] spacingMm() {
        return spacingMm.clone();
    }

    /** The affine, row-major. */
    public double[] affine() {
        return affine.clone();
    }

    /** One entry of the affine. */
    public double affine(int row, int column) {
        return affine[row * ROW + column];
    }

    /** World coordinates of voxel (0, 0, 0), in the unit of the file. */
    public double[] origin() {
        return new double[] {affine(0, 3), affine(1, 3), affine(2, 3)};
    }

    /** Length of an affine column in the unit of the file; {@code axis} 0 is x. */
    public double columnLength(int axis) {
        return Math.sqrt(affine(0, axis) * affine(0, axis)
                + affine(1, axis) * affine(1, axis)
                + affine(2, axis) * affine(2, axis));
    }

    /** Direction cosines, row-major 3x3: column i is the unit vector of voxel axis x, y, z; a zero column stays zero. */
    public double[] direction() {
        double[] direction = new double[9];
        for (int axis = 0; axis < 3; axis++) {
            double length = columnLength(axis);
            for (int row = 0; row < 3; row++) {
                direction[row * 3 + axis] = length == 0 ? 0 : affine(row, axis) / length;
            }
        }
        return direction;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Geometry g && Arrays.equals(spacingMm, g.spacingMm) && Arrays.equals(affine, g.affine);
    }

    @Override
    public int hashCode() {
        return 31 * Arrays.hashCode(spacingMm) + Arrays.hashCode(affine);
    }

    @Override
    public String toString() {
        return "spacing " + Arrays.toString(spacingMm) + " mm (z, y, x), affine " + Arrays.toString(affine);
    }
}
