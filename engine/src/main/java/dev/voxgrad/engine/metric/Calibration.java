package dev.voxgrad.engine.metric;

/**
 * Whether probabilities mean what they say, over voxels that come in any number of pieces. Either all voxels are told by the
 * probability of one foreground ({@link #add(double, boolean)}), or all by those of several classes ({@link #add(float[], int)}).
 *
 * <p>With 99.9 % background the errors look perfect: give the voxels of a mask.
 */
public final class Calibration {
    /** Bins when nothing else is asked for. */
    public static final int DEFAULT_BINS = 15;

    /** Probabilities below count as this much in the logarithm. */
    private static final double SMALLEST = 1e-12;

    private final Reliability foreground;
    private final Reliability topLabel;
    private double squares;
    private double logs;

    /** No voxels yet. */
    public Calibration(int bins) {
        this.foreground = new Reliability(bins);
        this.topLabel = new Reliability(bins);
    }

    /** Adds a voxel: its probability of foreground from 0 to 1, and whether it is. */
    public void add(double probability, boolean isForeground) {
        foreground.add(probability, isForeground);
        topLabel.add(Math.max(probability, 1 - probability), probability >= 0.5 == isForeground);
        double error = probability - (isForeground ? 1 : 0);
        squares += error * error;
        logs -= log(isForeground ? probability : 1 - probability);
    }

    /** Adds a voxel: the probabilities of all classes, and the class it has. There is no foreground curve then. */
    public void add(float[] probabilities, int label) {
        int best = 0;
        for (int c = 0; c < probabilities.length; c++) {
            best = probabilities[c] > probabilities[best] ? c : best;
            double error = probabilities[c] - (c == label ? 1.0 : 0.0);
            squares += error * error;
        }
        topLabel.add(probabilities[best], best == label);
        logs -= log(probabilities[label]);
    }

    private static double log(double probability) {
        return Math.log(Math.clamp(probability, SMALLEST, 1));
    }

    /** Adds the voxels of another one with as many bins. */
    public void add(Calibration other) {
        foreground.add(other.foreground);
        topLabel.add(other.topLabel);
        squares += other.squares;
        logs += other.logs;
    }

    /** Confidence = probability of foreground, claim = the voxel is foreground. Empty if voxels came with several classes. */
    public Reliability foreground() {
        return foreground;
    }

    /** Confidence = largest probability, claim = its class (the lowest one on ties; foreground from 0.5) is the right one. */
    public Reliability topLabel() {
        return topLabel;
    }

    /** Voxels so far. */
    public long voxels() {
        return topLabel.voxels();
    }

    /** Mean of (p - y)^2, with several classes of its sum over classes (0 to 2); NaN without voxels. */
    public double brier() {
        return squares / voxels();
    }

    /** Mean of -log of the probability of the right label, clipped to [1e-12, 1]; NaN without voxels. */
    public double nll() {
        return logs / voxels();
    }
}
