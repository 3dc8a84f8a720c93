package dev.voxgrad.losses;

import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.op.SegLoss.Kind;
import dev.voxgrad.engine.op.SegLoss.Nonlinearity;
import dev.voxgrad.engine.op.SegLoss.Sums;
import java.util.List;

/**
 * One minus the Dice of all classes, background included, weighted by w. With I, P, G the sums of p y, p, y of one class and
 * s = {@code smooth}:
 *
 * <pre>
 * D = (2 I + s) / (P + G + s)                        per class, or per sample and class
 * L = 1 - sum_c w D / sum_c w                        normalized
 * L = 1/C sum_c w (1 - D)                            raw, as MONAI's DiceLoss with weights and batch
 * </pre>
 *
 * <p>Per sample, L is the mean over the samples. A class of weight 0 contributes nothing.
 *
 * @param weights w, one per class
 * @param normalized whether L is divided by the sum of the weights
 * @param batch true: sums run over the batch; false: one Dice per sample
 * @param smooth s, above 0
 */
public record WeightedDice(ClassWeights weights, boolean normalized, boolean batch, double smooth)
        implements RegionTerm {
    private static final double SMOOTH = 1e-5;

    /** Checks the ranges. */
    public WeightedDice {
        if (weights.isEmpty()) {
            throw new ConfigException("wdice: there are no weights; use dice or monai_dice");
        }
        if (!(smooth > 0 && smooth < Double.POSITIVE_INFINITY)) {
            throw new ConfigException("wdice: smooth " + smooth + " must be a number above 0");
        }
    }

    static WeightedDice parse(Arguments arguments) {
        return new WeightedDice(
                arguments.weights("weights", ClassWeights.Rule.MEDIAN_FREQUENCY),
                arguments.flag("normalized", true),
                arguments.flag("batch", true),
                arguments.number("smooth", SMOOTH));
    }

    @Override
    public Nonlinearity nonlinearity() {
        return Nonlinearity.SOFTMAX;
    }

    @Override
    public void requireClasses(int classes) {
        weights.requireClasses("wdice", classes);
    }

    @Override
    public double evaluate(Sums sums, double weight, Sums partials) {
        List<Row> rows = Row.of(sums, batch);
        double all = weights.values().stream().mapToDouble(w -> w).sum();
        double share = weight / (rows.size() * (normalized ? all : sums.classes()));
        double value = 0;
        for (Row row : rows) {
            for (int c = 0; c < sums.classes(); c++) {
                double factor = share * weights.of(c);
                double numerator = 2 * row.get(sums, c, Kind.INTERSECTION) + smooth;
                double denominator = row.get(sums, c, Kind.PROBABILITY) + row.get(sums, c, Kind.COUNT) + smooth;
                value += factor * (1 - numerator / denominator);
                row.add(partials, c, Kind.INTERSECTION, -factor * 2 / denominator);
                row.add(partials, c, Kind.PROBABILITY, factor * numerator / (denominator * denominator));
            }
        }
        return value;
    }

    @Override
    public String toString() {
        boolean median = weights.rule() == ClassWeights.Rule.MEDIAN_FREQUENCY;
        return new TermText("wdice")
                .argument("weights", median ? ClassWeights.NONE : weights)
                .argument("normalized", normalized, true)
                .argument("batch", batch, true)
                .argument("smooth", smooth, SMOOTH)
                .toString();
    }
}
