package dev.voxgrad.engine.metric;

import dev.voxgrad.engine.ShapeException;
import dev.voxgrad.engine.image.Grid;
import dev.voxgrad.engine.image.LabelVolume;
import java.util.Arrays;
import java.util.Set;

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

    /** Reads voxels: 0, {@link #REFERENCE} and {@link #PREDICTION} or both, or {@link #IGNORED}. */
    @FunctionalInterface
    private interface Rows {
        /** Fills the start of {@code row} with {@code count} voxels from a flat position on. */
        void read(int from, int count, byte[] row);
    }

    private MaskPair(Grid grid, boolean planar, double[] spacingMm, Rows rows) {
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
        long ignored = bounds(grid, rows, low, high);
        boolean empty = high[0] < 0;
        int[] from = empty ? new int[3] : low;
        this.box =
                empty ? new Grid(1, 1, 1) : new Grid(high[0] - low[0] + 1, high[1] - low[1] + 1, high[2] - low[2] + 1);
        this.reference = new byte[box.voxels()];
        this.prediction = new byte[box.voxels()];
        long[] found = new long[IGNORED + 1];
        byte[] row = new byte[box.width()];
        for (int i = 0, to = 0; i < box.depth() * box.height(); i++) {
            int z = from[0] + i / box.height();
            int y = from[1] + i % box.height();
            rows.read((z * grid.height() + y) * grid.width() + from[2], row.length, row);
            for (byte cell : row) {
                found[cell]++;
                reference[to] = (byte) (cell & REFERENCE);
                prediction[to++] = (byte) ((cell & PREDICTION) >> 1);
            }
        }
        long tp = found[REFERENCE | PREDICTION];
        long fp = found[PREDICTION];
        long fn = found[REFERENCE];
        this.counts = new Confusion(tp, fp, fn, grid.voxels() - ignored - tp - fp - fn);
    }

    /** Finds the first and last place along each axis; returns the number of ignored voxels. */
    private static long bounds(Grid grid, Rows rows, int[] low, int[] high) {
        long ignored = 0;
        byte[] row = new byte[grid.width()];
        for (int i = 0; i < grid.depth() * grid.height(); i++) {
            rows.read(i * grid.width(), row.length, row);
            int any = 0;
            for (byte cell : row) {
                any |= cell;
            }
            if (any == 0) {
                continue;
            }
            for (int x = 0; x < row.length; x++) {
                if (row[x] == IGNORED) {
                    ignored++;
                } else if (row[x] != 0) {
                    include(low, high, i / grid.height(), i % grid.height(), x);
                }
            }
        }
        return ignored;
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
        return new MaskPair(grid, planar, spacing, (from, count, row) -> {
            for (int x = 0; x < count; x++) {
                row[x] = (byte)
                        ((reference[from + x] != 0 ? REFERENCE : 0) | (prediction[from + x] != 0 ? PREDICTION : 0));
            }
        });
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
        byte[] ofReference = new byte[1 << Short.SIZE];
        byte[] ofPrediction = new byte[1 << Short.SIZE];
        for (int label : labels) {
            ofReference[label] = REFERENCE;
            ofPrediction[label] = PREDICTION;
        }
        if (ignore >= 0) {
            ofReference[ignore] = IGNORED;
        }
        short[] r = reference.labels();
        short[] p = prediction.labels();
        return new MaskPair(grid, grid.depth() == 1, reference.geometry().spacingMm(), (from, count, row) -> {
            for (int x = 0; x < count; x++) {
                byte cell = ofReference[Short.toUnsignedInt(r[from + x])];
                row[x] = cell == IGNORED ? cell : (byte) (cell | ofPrediction[Short.toUnsignedInt(p[from + x])]);
            }
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
