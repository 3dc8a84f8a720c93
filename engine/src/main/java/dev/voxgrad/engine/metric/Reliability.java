package dev.voxgrad.engine.metric;

import dev.voxgrad.engine.ConfigException;

/**
 * A reliability curve: how often what is claimed with some confidence is true. Bin i of M holds confidences in (i/M, (i+1)/M], the
 * first one also 0. Counts are exact, sums are float64.
 */
public final class Reliability {
    private final long[] count;
    private final long[] hits;
    private final double[] confidence; // sum

    /** An empty curve. */
    public Reliability(int bins) {
        if (bins < 1) {
            throw new ConfigException("calibration: " + bins + " bins; at least 1 is needed");
        }
        this.count = new long[bins];
        this.hits = new long[bins];
        this.confidence = new double[bins];
    }

    /** Adds one voxel: a confidence from 0 to 1, and whether the claim is true. */
    void add(double claimed, boolean hit) {
        int bin = Math.clamp((long) Math.ceil(claimed * count.length) - 1, 0, count.length - 1);
        count[bin]++;
        confidence[bin] += claimed;
        hits[bin] += hit ? 1 : 0;
    }

    /** Adds the voxels of another curve with as many bins. */
    void add(Reliability other) {
        for (int i = 0; i < count.length; i++) {
            count[i] += other.count[i];
            confidence[i] += other.confidence[i];
            hits[i] += other.hits[i];
        }
    }

    /** Number of bins. */
    public int bins() {
        return count.length;
    }

    /** Voxels in a bin. */
    public long count(int bin) {
        return count[bin];
    }

    /** Voxels in a bin whose claim is true. */
    public long hits(int bin) {
        return hits[bin];
    }

    /** Sum of the confidences in a bin. */
    public double confidenceSum(int bin) {
        return confidence[bin];
    }

    /** Voxels in all bins. */
    public long voxels() {
        long sum = 0;
        for (long n : count) {
            sum += n;
        }
        return sum;
    }

    /** Distance of share of hits and mean confidence of a bin; NaN if it is empty. */
    public double gap(int bin) {
        return Math.abs(hits[bin] - confidence[bin]) / count[bin];
    }

    /** Expected calibration error: the mean gap, weighted by voxels; NaN without voxels. */
    public double ece() {
        double sum = 0;
        for (int i = 0; i < count.length; i++) {
            sum += Math.abs(hits[i] - confidence[i]);
        }
        return sum / voxels();
    }

    /** Maximum calibration error: the largest gap of the bins that are not empty; NaN without voxels. */
    public double mce() {
        double largest = Double.NaN;
        for (int i = 0; i < count.length; i++) {
            if (count[i] > 0 && !(gap(i) <= largest)) {
                largest = gap(i);
            }
        }
        return largest;
    }
}
