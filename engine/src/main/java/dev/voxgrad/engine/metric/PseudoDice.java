package dev.voxgrad.engine.metric;

import dev.voxgrad.engine.plan.LabelRegion;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * Dice per foreground class or region over all voxels of the validation batches of one epoch, as if they were one volume: a cheap estimate
 * that orders epochs, not the score of whole cases.
 */
public final class PseudoDice {
    private final Confusion[] counts; // by class - 1, or by region
    private final List<Set<Integer>> regions;
    private final int ignore;

    /**
     * Nothing counted yet.
     *
     * @param classes number of classes with background
     * @param ignore label of voxels that do not count; -1 = none
     */
    public PseudoDice(int classes, int ignore) {
        this.counts = new Confusion[classes - 1];
        Arrays.fill(counts, Confusion.ZERO);
        this.regions = List.of();
        this.ignore = ignore;
    }

    /**
     * Nothing counted yet, for regions.
     *
     * @param regions labels of each
     * @param ignore label of voxels that do not count; -1 = none
     */
    public PseudoDice(List<LabelRegion> regions, int ignore) {
        this.counts = new Confusion[regions.size()];
        Arrays.fill(counts, Confusion.ZERO);
        this.regions =
                regions.stream().map(region -> Set.copyOf(region.labels())).toList();
        this.ignore = ignore;
    }

    /** Adds voxels of regions: their logits [voxel][region], predicted where above 0, and reference labels, unsigned. */
    public void add(float[] logits, byte[] reference) {
        if (logits.length != (long) reference.length * counts.length) {
            throw new IllegalArgumentException(logits.length + " logits of " + counts.length + " regions and "
                    + reference.length + " reference voxels");
        }
        for (int region = 0; region < counts.length; region++) {
            boolean[] member = new boolean[256];
            regions.get(region).forEach(label -> member[label] = true);
            long[] cells = new long[4]; // tn, fn, fp, tp
            for (int i = 0; i < reference.length; i++) {
                int label = Byte.toUnsignedInt(reference[i]);
                if (label != ignore) {
                    cells[(logits[i * counts.length + region] > 0 ? 2 : 0) + (member[label] ? 1 : 0)]++;
                }
            }
            counts[region] = counts[region].plus(new Confusion(cells[3], cells[2], cells[1], cells[0]));
        }
    }

    /** Adds voxels: predicted classes and reference labels, unsigned, in the same order. */
    public void add(byte[] predicted, byte[] reference) {
        if (predicted.length != reference.length) {
            throw new IllegalArgumentException(
                    predicted.length + " predicted and " + reference.length + " reference voxels");
        }
        long[] tp = new long[256];
        long[] fp = new long[256];
        long[] fn = new long[256];
        for (int i = 0; i < predicted.length; i++) {
            int p = Byte.toUnsignedInt(predicted[i]);
            int r = Byte.toUnsignedInt(reference[i]);
            if (r == ignore) {
                continue;
            }
            if (p == r) {
                tp[p]++;
            } else {
                fp[p]++;
                fn[r]++;
            }
        }
        for (int c = 1; c <= counts.length; c++) {
            counts[c - 1] = counts[c - 1].plus(new Confusion(tp[c], fp[c], fn[c], 0));
        }
    }

    /** Dice of the classes 1, 2, ... or of the regions; NaN for a class that was neither there nor predicted. */
    public double[] perClass() {
        return Arrays.stream(counts).mapToDouble(Confusion::dice).toArray();
    }

    /** Mean over the classes that are not NaN; NaN if all are. */
    public double mean() {
        return mean(perClass());
    }

    /** Mean of the numbers that are not NaN; NaN if there is none. */
    static double mean(double... values) {
        double sum = 0;
        int count = 0;
        for (double value : values) {
            if (!Double.isNaN(value)) {
                sum += value;
                count++;
            }
        }
        return count == 0 ? Double.NaN : sum / count;
    }

    /** True and false positives and false negatives of a class, or of a region, from 1. */
    public Confusion counts(int label) {
        return counts[label - 1];
    }

    @Override
    public String toString() {
        return IntStream.range(0, counts.length)
                .mapToObj(i -> (i + 1) + ": " + counts[i].dice())
                .toList()
                .toString();
    }
}
