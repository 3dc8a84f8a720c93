package dev.voxgrad.engine.metric;

import dev.voxgrad.engine.ShapeException;
import dev.voxgrad.engine.image.Grid;
import dev.voxgrad.engine.image.LabelVolume;
import java.util.Arrays;
import java.util.Set;
import java.util.function.IntUnaryOperator;

/**
 * Reference and prediction of one label (or a union of labels) in one case. Only the joint bounding box of the two masks is kept:
 * outside it both are background, so surfaces, components and distances between the masks are those of the whole image.
 */
public final class MaskPair {
    private static final int REFERENCE = 1;
    private static final int PREDICTION = 2;
    private static final int IGNORED = 4;

    private final Grid grid;
    private final Grid box;
    private final boolean planar;
    private final double[] spacingMm;
    private final byte[] reference;
    private final byte[] prediction;
    private final Confusion counts;

    private MaskPair(Grid grid, boolean planar, double[] spacingMm, IntUnaryOperator cells) {
        for (double s : spacingMm) {
            if (!(s > 0) || Double.isInfinite(s)) {
                throw new ShapeException("masks: spacing must be positive, got " + Arrays.toString(spacingMm));
            }
        }
        this.grid = grid;
        this.planar = planar;
        this.spacingMm = spacingMm;
        int[] low = grid.sizes();
        int[] high = {-1, -1, -1};
        long ignored = 0;
        for (int z = 0, i = 0; z < grid.depth(); z++) {
            for (int y = 0; y < grid.height(); y++) {
                for (int x = 0; x < grid.width(); x++, i++) {
                    int cell = cells.applyAsInt(i);
                    if (cell == IGNORED) {
                        ignored++;
                    } else if (cell != 0) {
                        include(low, high, z, y, x);
                    }
                }
            }
        }
        boolean empty = high[0] < 0;
        int[] from = empty ? new int[3] : low;
        this.box = empty
                ? new Grid(1, 1, 1)
                : new Grid(high[0] - low[0] + 1, high[1] - low[1] + 1, high[2] - low[2] + 1);
        this.reference = new byte[box.voxels()];
        this.prediction = new byte[box.voxels()];
        long[] found = new long[4];
        for (int z = 0, to = 0; z < box.depth(); z++) {
            for (int y = 0; y < box.height(); y++) {
                int i = ((z + from[0]) * grid.height() + y + from[1]) * grid.width() + from[2];
                for (int x = 0; x < box.width(); x++, i++, to++) {
                    int cell = cells.applyAsInt(i);
                    if (cell != IGNORED) {
                        reference[to] = (byte) (cell & REFERENCE);
                        prediction[to] = (byte) (cell >> 1);
                        found[cell]++;
                    }
                }
            }
        }
        long tp = found[REFERENCE | PREDICTION];
        long fp = found[PREDICTION];
        long fn = found[REFERENCE];
        this.counts = new Confusion(tp, fp, fn, grid.voxels() - ignored - tp - fp - fn);
    }

    private static void include(int[] low, int[] high, int... place) {
        for (int axis = 0; axis < 3; axis++) {
            low[axis] = Math.min(low[axis], place[axis]);
            high[axis] = Math.max(high[axis], place[axis]);
        }
    }

    /**
     * Two masks, not 0 is foreground.
     *
     * @param grid shape of both
     * @param spacingMm z, y, x of a volume, or y, x of a picture: then the grid has depth 1 and surfaces are contours
     * @throws ShapeException when an array does not fit the grid or the spacings are not 2 or 3 positive numbers
     */
    public static MaskPair of(byte[] reference, byte[] prediction, Grid grid, double... spacingMm) {
        requireVoxels("reference", reference.length, grid);
        requireVoxels("prediction", prediction.length, grid);
        boolean planar = spacingMm.length == 2;
        if (planar && grid.depth() != 1 || !planar && spacingMm.length != 3) {
            throw new ShapeException("masks: " + spacingMm.length + " spacings for a grid of " + grid
                    + "; give z, y, x of a volume, or y, x of a picture of depth 1");
        }
        double[] spacing = planar ? new double[] {1, spacingMm[0], spacingMm[1]} : spacingMm.clone();
        return new MaskPair(
                grid,
                planar,
                spacing,
                i -> (reference[i] != 0 ? REFERENCE : 0) | (prediction[i] != 0 ? PREDICTION : 0));
    }

    /**
     * The voxels of two label maps that have one of some labels. Maps of depth 1 are pictures: their surfaces are contours.
     *
     * @param labels foreground: one label, or several for a region
     * @param ignore reference voxels with this label count nowhere and are background of both masks; -1 = none
     * @throws ShapeException when the shapes differ
     */
    public static MaskPair of(LabelVolume reference, LabelVolume prediction, Set<Integer> labels, int ignore) {
        Grid grid = reference.grid();
        if (!prediction.grid().equals(grid)) {
            throw new ShapeException("masks: prediction has shape " + prediction.grid() + ", reference " + grid
                    + "; compare label maps of the same image");
        }
        boolean[] wanted = new boolean[1 << Short.SIZE];
        labels.forEach(label -> wanted[label] = true);
        short[] r = reference.labels();
        short[] p = prediction.labels();
        return new MaskPair(grid, grid.depth() == 1, reference.geometry().spacingMm(), i -> {
            int label = Short.toUnsignedInt(r[i]);
            if (label == ignore) {
                return IGNORED;
            }
            return (wanted[label] ? REFERENCE : 0) | (wanted[Short.toUnsignedInt(p[i])] ? PREDICTION : 0);
        });
    }

    private static void requireVoxels(String what, int voxels, Grid grid) {
        if (voxels != grid.voxels()) {
            throw new ShapeException(
                    "masks: " + what + " has " + voxels + " voxels, shape " + grid + " needs " + grid.voxels());
        }
    }

    /** Voxel counts over the whole image. */
    public Confusion counts() {
        return counts;
    }

    /** Shape of the whole image. */
    public Grid grid() {
        return grid;
    }

    /** Whether this is a picture: surfaces are contours and have no faces along z. */
    public boolean planar() {
        return planar;
    }

    /** Voxel spacing z, y, x in millimetres; z is 1 for a picture that has none. */
    public double[] spacingMm() {
        return spacingMm.clone();
    }

    /** Volume of a voxel in mm^3; area in mm^2 for a picture without a spacing along z. */
    public double voxelVolumeMm3() {
        return spacingMm[0] * spacingMm[1] * spacingMm[2];
    }

    /** Distance of the centres of two opposite corner voxels of the image, the largest distance there can be. */
    public double diagonalMm() {
        double sum = 0;
        int[] sizes = grid.sizes();
        for (int axis = 0; axis < sizes.length; axis++) {
            double length = (sizes[axis] - 1) * spacingMm[axis];
            sum += length * length;
        }
        return Math.sqrt(sum);
    }

    /** Whether the reference has no voxel. */
    public boolean referenceEmpty() {
        return counts.reference() == 0;
    }

    /** Whether the prediction has no voxel. */
    public boolean predictionEmpty() {
        return counts.predicted() == 0;
    }

    /** Shape of the joint bounding box; one voxel of background when both masks are empty. */
    Grid box() {
        return box;
    }

    /** The reference in the box, 0 or 1; not a copy. */
    byte[] reference() {
        return reference;
    }

    /** The prediction in the box, 0 or 1; not a copy. */
    byte[] prediction() {
        return prediction;
    }
}
