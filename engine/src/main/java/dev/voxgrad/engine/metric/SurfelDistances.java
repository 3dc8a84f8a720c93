package dev.voxgrad.engine.metric;

import dev.voxgrad.engine.tensor.Device;
import java.util.Arrays;

/**
 * Distances between the surface elements of two masks: corner points of the voxel grid, each with an area in mm^2 (a length in mm for
 * pictures), as the surface-distance package defines them. This is the normalised surface Dice of the literature. Every distance is
 * NaN when both masks are empty and infinite when one is.
 */
public final class SurfelDistances {
    private final Direction toPrediction;
    private final Direction toReference;

    private SurfelDistances(Direction toPrediction, Direction toReference) {
        this.toPrediction = toPrediction;
        this.toReference = toReference;
    }

    /** The distances that occur, ascending and distinct, with the area at each. */
    private record Direction(double[] distances, double[] areas, double total) {
        static Direction of(double[] distances, double[] areas) {
            double[] distinct = Arrays.stream(distances).sorted().distinct().toArray();
            double[] sums = new double[distinct.length];
            for (int i = 0; i < distances.length; i++) {
                sums[Arrays.binarySearch(distinct, distances[i])] += areas[i];
            }
            // In the order of within(), so that a surface that lies within a tolerance as a whole has a share of
            // exactly 1.
            double total = 0;
            for (double sum : sums) {
                total += sum;
            }
            return new Direction(distinct, sums, total);
        }

        double within(double tolerance) {
            double area = 0;
            for (int i = 0; i < distances.length && distances[i] <= tolerance; i++) {
                area += areas[i];
            }
            return area;
        }

        /** The first distance at which the share of the area reaches a percentage. */
        double robust(double percent) {
            double area = 0;
            for (int i = 0; i < distances.length; i++) {
                area += areas[i];
                if (area / total >= percent / 100) {
                    return distances[i];
                }
            }
            return distances[distances.length - 1]; // rounding kept the share below
        }

        double mean() {
            double sum = 0;
            for (int i = 0; i < distances.length; i++) {
                sum += areas[i] * distances[i];
            }
            return sum / total;
        }
    }

    /**
     * Measures a pair of masks.
     *
     * @param device a CPU
     */
    public static SurfelDistances of(Device device, MaskPair pair) {
        double[] spacing = pair.spacingMm();
        double[] table = pair.planar() ? SurfelTable.lengths(spacing[1], spacing[2]) : SurfelTable.areas(spacing);
        Surfels reference = Surfels.of(pair.reference(), pair.box(), pair.planar());
        Surfels prediction = Surfels.of(pair.prediction(), pair.box(), pair.planar());
        return new SurfelDistances(
                directed(device, reference, prediction, table, spacing),
                directed(device, prediction, reference, table, spacing));
    }

    private static Direction directed(Device device, Surfels from, Surfels to, double[] table, double[] spacing) {
        byte[] border = from.border();
        int count = 0;
        for (byte point : border) {
            count += point;
        }
        double[] distances = new double[count];
        double[] areas = new double[count];
        try (DistanceMap map = DistanceMap.of(device, to.border(), from.corners(), spacing)) {
            for (int i = 0, k = 0; k < count; i++) {
                if (border[i] != 0) {
                    distances[k] = map.at(i);
                    areas[k++] = table[Byte.toUnsignedInt(from.codes()[i])];
                }
            }
        }
        return Direction.of(distances, areas);
    }

    /** Surface of the reference in mm^2, length of its contour in mm for a picture. */
    public double referenceArea() {
        return toPrediction.total;
    }

    /** Surface of the prediction in mm^2, length of its contour in mm for a picture. */
    public double predictionArea() {
        return toReference.total;
    }

    /** Normalised surface Dice: share of both surfaces that is no farther than a tolerance; 0 if one mask is empty. */
    public double nsd(double toleranceMm) {
        return (toPrediction.within(toleranceMm) + toReference.within(toleranceMm))
                / (toPrediction.total + toReference.total);
    }

    /** Robust Hausdorff distance: the larger of the two distances within which a percentage of a surface lies; 100 is the plain one. */
    public double hd(double percent) {
        return absent() ? missing() : Math.max(toPrediction.robust(percent), toReference.robust(percent));
    }

    /** Area-weighted mean distance from the reference to the prediction. */
    public double meanReferenceToPrediction() {
        return absent() ? missing() : toPrediction.mean();
    }

    /** Area-weighted mean distance from the prediction to the reference. */
    public double meanPredictionToReference() {
        return absent() ? missing() : toReference.mean();
    }

    /** The mean of both directions' means. */
    public double assd() {
        return (meanReferenceToPrediction() + meanPredictionToReference()) / 2;
    }

    private boolean absent() {
        return toPrediction.distances.length == 0 || toReference.distances.length == 0;
    }

    private double missing() {
        return toPrediction.distances.length == toReference.distances.length ? Double.NaN : Double.POSITIVE_INFINITY;
    }
}
