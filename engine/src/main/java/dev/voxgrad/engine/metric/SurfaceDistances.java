package dev.voxgrad.engine.metric;

import dev.voxgrad.engine.image.Grid;
import dev.voxgrad.engine.tensor.Device;
import java.util.Arrays;

/**
 * Distances between the surface voxels of two masks, from voxel centre to voxel centre in millimetres, as MONAI and medpy define
 * them. Every distance is NaN when both masks are empty and infinite when one is.
 */
public final class SurfaceDistances {
    private final double[] toPrediction;
    private final double[] toReference;

    private SurfaceDistances(double[] toPrediction, double[] toReference) {
        this.toPrediction = toPrediction;
        this.toReference = toReference;
    }

    /** Measures with the surface of {@link Surface#FACES}. */
    public static SurfaceDistances of(Device device, MaskPair pair) {
        return of(device, pair, Surface.FACES);
    }

    /**
     * Measures a pair of masks.
     *
     * @param device a CPU
     */
    public static SurfaceDistances of(Device device, MaskPair pair, Surface surface) {
        Grid box = pair.box();
        byte[] reference = surface.of(pair.reference(), box, pair.planar());
        byte[] prediction = surface.of(pair.prediction(), box, pair.planar());
        double[] spacing = pair.spacingMm();
        return new SurfaceDistances(
                directed(device, reference, prediction, box, spacing),
                directed(device, prediction, reference, box, spacing));
    }

    /** For each voxel of {@code from} the distance to the nearest one of {@code to}, ascending. */
    private static double[] directed(Device device, byte[] from, byte[] to, Grid box, double[] spacing) {
        int count = 0;
        for (byte voxel : from) {
            count += voxel;
        }
        double[] distances = new double[count];
        try (DistanceMap map = DistanceMap.of(device, to, box, spacing)) {
            for (int i = 0, k = 0; k < count; i++) {
                if (from[i] != 0) {
                    distances[k++] = map.at(i);
                }
            }
        }
        Arrays.sort(distances);
        return distances;
    }

    /** Ascending, from each surface voxel of the reference to the nearest one of the prediction. */
    public double[] referenceToPrediction() {
        return toPrediction.clone();
    }

    /** Ascending, from each surface voxel of the prediction to the nearest one of the reference. */
    public double[] predictionToReference() {
        return toReference.clone();
    }

    /** Hausdorff distance: the largest distance of both directions. */
    public double hd() {
        return percentileMax(100);
    }

    /** The project's HD95, that of MONAI: the larger of the two directions' 95th percentiles. */
    public double hd95() {
        return percentileMax(95);
    }

    /** HD95 as medpy has it: the 95th percentile of both directions together. */
    public double hd95Pooled() {
        return absent() ? missing() : Statistics.quantile(pooled(), 0.95);
    }

    /** The larger of the two directions' percentiles, 0 to 100. */
    public double percentileMax(double percent) {
        double share = percent / 100;
        return absent()
                ? missing()
                : Math.max(Statistics.quantile(toPrediction, share), Statistics.quantile(toReference, share));
    }

    /** Average symmetric surface distance: the mean of both directions together (MONAI's symmetric one). */
    public double assd() {
        return absent()
                ? missing()
                : (sum(toPrediction) + sum(toReference)) / ((double) toPrediction.length + toReference.length);
    }

    /** The mean of the two directions' means. */
    public double assdMeanOfMeans() {
        return absent()
                ? missing()
                : (sum(toPrediction) / toPrediction.length + sum(toReference) / toReference.length) / 2;
    }

    /** Share of the surface voxels of both masks that are no farther than a tolerance; 0 if one mask is empty. */
    public double nsd(double toleranceMm) {
        double within = (double) within(toPrediction, toleranceMm) + within(toReference, toleranceMm);
        return within / ((double) toPrediction.length + toReference.length);
    }

    private boolean absent() {
        return toPrediction.length == 0 || toReference.length == 0;
    }

    private double missing() {
        return toPrediction.length == toReference.length ? Double.NaN : Double.POSITIVE_INFINITY;
    }

    private double[] pooled() {
        double[] all = Arrays.copyOf(toPrediction, toPrediction.length + toReference.length);
        System.arraycopy(toReference, 0, all, toPrediction.length, toReference.length);
        Arrays.sort(all);
        return all;
    }

    private static double sum(double[] values) {
        double sum = 0;
        for (double value : values) {
            sum += value;
        }
        return sum;
    }

    private static int within(double[] ascending, double tolerance) {
        int low = 0;
        for (int high = ascending.length; low < high; ) {
            int middle = (low + high) >>> 1;
            if (ascending[middle] <= tolerance) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }
}
