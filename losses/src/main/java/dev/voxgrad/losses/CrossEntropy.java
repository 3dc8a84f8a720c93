package dev.voxgrad.losses;

import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.op.SegLoss.Kind;
import dev.voxgrad.engine.op.SegLoss.Nonlinearity;
import dev.voxgrad.engine.op.SegLoss.Sums;

/**
 * Softmax cross entropy as PyTorch's {@code cross_entropy}, with e the label smoothing, w the class weights and C the classes:
 *
 * <pre>
 * l(voxel) = (1 - e) w_t (-log p_t) + e/C sum_c w_c (-log p_c)      t = label of the voxel
 * mean     = sum l / sum w_t                                        over all voxels of the batch that count
 * </pre>
 *
 * <p>The mean is 0 with gradient 0 when no voxel counts or all their labels have weight 0 (PyTorch: NaN).
 *
 * @param weights one per class
 * @param labelSmoothing e, at least 0 and below 1
 * @param reduction mean or sum over the voxels
 */
public record CrossEntropy(ClassWeights weights, double labelSmoothing, Reduction reduction) implements RegionTerm {
    /** What is done with the values of the voxels. */
    public enum Reduction {
        MEAN,
        SUM
    }

    /** The plain mean. */
    public static final CrossEntropy DEFAULT = new CrossEntropy(ClassWeights.NONE, 0, Reduction.MEAN);

    /** Checks the ranges. */
    public CrossEntropy {
        requireSmoothing("ce", labelSmoothing);
    }

    private static void requireSmoothing(String name, double smoothing) {
        if (!(smoothing >= 0 && smoothing < 1)) {
            throw new ConfigException(name + ": smoothing " + smoothing + " is not in [0, 1)");
        }
    }

    static CrossEntropy parse(Arguments arguments) {
        return parse(arguments, arguments.weights("weights"));
    }

    /** The name {@code wce}: weights by median frequency unless it says otherwise. */
    static CrossEntropy parseWeighted(Arguments arguments) {
        return parse(arguments, arguments.weights("weights", ClassWeights.Rule.MEDIAN_FREQUENCY));
    }

    private static CrossEntropy parse(Arguments arguments, ClassWeights weights) {
        double smoothing = arguments.number("smoothing", DEFAULT.labelSmoothing);
        requireSmoothing(arguments.lossName(), smoothing);
        weights.requireClasses(arguments.lossName(), arguments.context().classes());
        return new CrossEntropy(weights, smoothing, arguments.choice("reduction", DEFAULT.reduction));
    }

    @Override
    public Nonlinearity nonlinearity() {
        return Nonlinearity.SOFTMAX;
    }

    @Override
    public void requireClasses(int classes) {
        weights.requireClasses("ce", classes);
    }

    @Override
    public double evaluate(Sums sums, double weight, Sums partials) {
        Row batch = new Row(0, sums.samples());
        int classes = sums.classes();
        double factor = weight;
        if (reduction == Reduction.MEAN) {
            double divisor = 0;
            for (int c = 0; c < classes; c++) {
                divisor += weights.of(c) * batch.get(sums, c, Kind.COUNT);
            }
            if (divisor == 0) {
                return 0;
            }
            factor = weight / divisor;
        }
        double value = 0;
        for (int c = 0; c < classes; c++) {
            double hard = factor * (1 - labelSmoothing) * weights.of(c);
            value += hard * batch.get(sums, c, Kind.NLL_TRUE);
            batch.add(partials, c, Kind.NLL_TRUE, hard);
            if (labelSmoothing > 0) {
                double soft = factor * labelSmoothing / classes * weights.of(c);
                value += soft * batch.get(sums, c, Kind.NLL_OTHER);
                batch.add(partials, c, Kind.NLL_OTHER, soft);
            }
        }
        return value;
    }

    @Override
    public String toString() {
        boolean median = weights.rule() == ClassWeights.Rule.MEDIAN_FREQUENCY;
        return new TermText(median ? "wce" : "ce")
                .argument("smoothing", labelSmoothing, DEFAULT.labelSmoothing)
                .argument("weights", median ? ClassWeights.NONE : weights)
                .argument("reduction", reduction, DEFAULT.reduction)
                .toString();
    }
}
