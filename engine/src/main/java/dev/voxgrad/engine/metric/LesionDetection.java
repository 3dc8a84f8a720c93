package dev.voxgrad.engine.metric;

import dev.voxgrad.engine.tensor.Device;
import java.util.ArrayList;
import java.util.List;

/**
 * Lesions found and missed in one case. By overlap, many to many: a reference lesion is detected when predicted lesions together cover
 * enough of it, a predicted lesion is a hit when enough of it lies in reference lesions. One to one: {@link #matching}.
 *
 * @param reference reference lesions
 * @param predicted predicted lesions
 * @param detected reference lesions that were detected
 * @param hits predicted lesions that are hits
 * @param bins the same numbers by size of the lesions, smallest first
 * @param matching by IoU, each lesion used once
 */
public record LesionDetection(
        int reference, int predicted, int detected, int hits, List<SizeBin> bins, LesionMatching matching) {
    /**
     * Lesions of a range of sizes.
     *
     * @param fromMm3 smallest size, included
     * @param toMm3 largest size, excluded; infinite in the last bin
     * @param reference reference lesions of this size
     * @param detected those of them that were detected
     * @param predicted predicted lesions of this size
     * @param hits those of them that are hits
     */
    public record SizeBin(double fromMm3, double toMm3, int reference, int detected, int predicted, int hits) {
        /** Detected share of the reference lesions; NaN without any. */
        public double recall() {
            return (double) detected / reference;
        }

        /** Predicted lesions that are no hits. */
        public int falsePositives() {
            return predicted - hits;
        }
    }

    /** Copies the list. */
    public LesionDetection {
        bins = List.copyOf(bins);
    }

    /**
     * Finds and compares the lesions of a pair of masks.
     *
     * @param device a CPU
     */
    public static LesionDetection of(Device device, MaskPair pair, LesionOptions options) {
        double voxelMm3 = pair.voxelVolumeMm3();
        long smallest = (long) Math.min(Integer.MAX_VALUE, ceiling(options.minSizeMm3() / voxelMm3));
        int connectivity = options.connectivity();
        Lesions reference = Lesions.of(device, pair.reference(), pair.box(), connectivity, smallest);
        Lesions predicted = Lesions.of(device, pair.prediction(), pair.box(), connectivity, smallest);
        boolean[] detected = covered(reference, predicted, options.minOverlapFraction());
        boolean[] hits = covered(predicted, reference, options.minOverlapFraction());
        List<SizeBin> bins = bins(options.sizeEdgesMm3(), voxelMm3, reference, detected, predicted, hits);
        return new LesionDetection(
                reference.count(),
                predicted.count(),
                bins.stream().mapToInt(SizeBin::detected).sum(),
                bins.stream().mapToInt(SizeBin::hits).sum(),
                bins,
                LesionMatching.of(reference, predicted, options.iouThreshold()));
    }

    /** By id, whether the other lesions together cover max(1, ceil(fraction * voxels)) voxels of it. */
    private static boolean[] covered(Lesions lesions, Lesions others, double fraction) {
        int[] common = new int[lesions.voxels().length];
        for (int i = 0; i < lesions.ids().length; i++) {
            common[lesions.ids()[i]] += others.ids()[i] != 0 ? 1 : 0;
        }
        boolean[] covered = new boolean[common.length];
        for (int id = 1; id < covered.length; id++) {
            covered[id] = common[id] >= Math.max(1, ceiling(fraction * lesions.voxels()[id]));
        }
        return covered;
    }

    /** Rounds up, but not for the last digits that a decimal fraction such as 0.07 * 100 has too many. */
    private static double ceiling(double value) {
        return Math.ceil(value * (1 - 1e-12));
    }

    private static List<SizeBin> bins(
            List<Double> edges,
            double voxelMm3,
            Lesions reference,
            boolean[] detected,
            Lesions predicted,
            boolean[] hits) {
        int count = edges.size() + 1;
        int[] references = new int[count];
        int[] detections = new int[count];
        int[] predictions = new int[count];
        int[] hitCounts = new int[count];
        tally(edges, voxelMm3, reference, detected, references, detections);
        tally(edges, voxelMm3, predicted, hits, predictions, hitCounts);
        List<SizeBin> bins = new ArrayList<>();
        for (int b = 0; b < count; b++) {
            double from = b == 0 ? 0 : edges.get(b - 1);
            double to = b == edges.size() ? Double.POSITIVE_INFINITY : edges.get(b);
            bins.add(new SizeBin(from, to, references[b], detections[b], predictions[b], hitCounts[b]));
        }
        return bins;
    }

    private static void tally(
            List<Double> edges, double voxelMm3, Lesions lesions, boolean[] found, int[] all, int[] foundOnes) {
        for (int id = 1; id < found.length; id++) {
            double size = lesions.voxels()[id];
            int bin = 0;
            // In voxels, so that a size that is a whole number of voxels is compared exactly where it can be.
            while (bin < edges.size() && size >= ceiling(edges.get(bin) / voxelMm3)) {
                bin++;
            }
            all[bin]++;
            foundOnes[bin] += found[id] ? 1 : 0;
        }
    }

    /** Detected share of the reference lesions; NaN without any. */
    public double recall() {
        return (double) detected / reference;
    }

    /** Share of hits among the predicted lesions; NaN without any. */
    public double precision() {
        return (double) hits / predicted;
    }

    /** Harmonic mean of recall and precision; 0 when one mask has no lesion or both rates are 0, NaN when neither mask has one. */
    public double f1() {
        if (reference == 0 && predicted == 0) {
            return Double.NaN;
        }
        return detected == 0 || hits == 0 ? 0 : 2 * recall() * precision() / (recall() + precision());
    }

    /** Predicted lesions that are no hits. */
    public int falsePositives() {
        return predicted - hits;
    }

    /** Reference lesions that were not detected. */
    public int falseNegatives() {
        return reference - detected;
    }

    /** Count error: the difference of the numbers of lesions, never negative. */
    public int countDifference() {
        return Math.abs(reference - predicted);
    }
}
