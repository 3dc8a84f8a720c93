package dev.voxgrad.engine.metric;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * One-to-one matches of lesions: overlapping pairs, best IoU first, each lesion used once; ties go to the smaller reference id, then to
 * the smaller prediction id.
 *
 * @param tp matches
 * @param fp predicted lesions without a match
 * @param fn reference lesions without a match
 * @param meanIou over the matches; NaN without one
 */
public record LesionMatching(int tp, int fp, int fn, double meanIou) {
    private record Pair(int reference, int prediction, double iou) {}

    static LesionMatching of(Lesions reference, Lesions prediction, double iouThreshold) {
        List<Pair> pairs = new ArrayList<>();
        overlaps(reference, prediction).forEach((key, voxels) -> {
            int r = (int) (key >> Integer.SIZE);
            int p = (int) (long) key;
            double union = (double) reference.voxels()[r] + prediction.voxels()[p] - voxels[0];
            double iou = voxels[0] / union;
            if (iou >= iouThreshold) {
                pairs.add(new Pair(r, p, iou));
            }
        });
        pairs.sort(Comparator.comparingDouble(Pair::iou)
                .reversed()
                .thenComparingInt(Pair::reference)
                .thenComparingInt(Pair::prediction));
        boolean[] takenReference = new boolean[reference.voxels().length];
        boolean[] takenPrediction = new boolean[prediction.voxels().length];
        int tp = 0;
        double sum = 0;
        for (Pair pair : pairs) {
            if (!takenReference[pair.reference] && !takenPrediction[pair.prediction]) {
                takenReference[pair.reference] = true;
                takenPrediction[pair.prediction] = true;
                tp++;
                sum += pair.iou;
            }
        }
        return new LesionMatching(tp, prediction.count() - tp, reference.count() - tp, sum / tp);
    }

    /** Common voxels by reference id (upper half) and prediction id (lower half). */
    private static Map<Long, int[]> overlaps(Lesions reference, Lesions prediction) {
        Map<Long, int[]> overlaps = new HashMap<>();
        long last = 0; // neighbours along x mostly belong to the same pair
        int[] voxels = new int[1];
        for (int i = 0; i < reference.ids().length; i++) {
            int r = reference.ids()[i];
            int p = prediction.ids()[i];
            if (r == 0 || p == 0) {
                continue;
            }
            long key = (long) r << Integer.SIZE | p;
            if (key != last) {
                last = key;
                voxels = overlaps.computeIfAbsent(key, k -> new int[1]);
            }
            voxels[0]++;
        }
        return overlaps;
    }

    /** 2 TP / (lesions of both masks); NaN without any. */
    public double f1() {
        return 2.0 * tp / (2.0 * tp + fp + fn);
    }
}
