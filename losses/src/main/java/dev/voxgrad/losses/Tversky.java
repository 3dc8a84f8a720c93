package dev.voxgrad.losses;

import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.op.SegLoss.Kind;
import dev.voxgrad.engine.op.SegLoss.Nonlinearity;
import dev.voxgrad.engine.op.SegLoss.Sums;

/**
 * The Tversky loss (Salehi et al. 2017): Dice in which false positives and false negatives weigh differently. With I, P, G the sums of
 * p y, p, y of one class over the batch:
 *
 * <pre>
 * L = 1 - mean of (I + 1) / ((1 - beta) P + beta G + 1)      over the foreground classes, or all channels of a sigmoid
 * </pre>
 *
 * <p>A class that does not occur has 1 / ((1 - beta) P + 1). L is 0 when no voxel counts.
 *
 * @param beta weight of false negatives, from 0 to 1; that of false positives is 1 - beta
 * @param nonlinearity softmax for classes, sigmoid for regions
 */
public record Tversky(double beta, Nonlinearity nonlinearity) implements RegionTerm {
    private static final double BETA = 0.7;

    /** Checks the range. */
    public Tversky {
        if (!(beta >= 0 && beta <= 1)) {
            throw new ConfigException("tversky: beta " + beta + " is not in [0, 1]");
        }
    }

    static Tversky parse(Arguments arguments) {
        return new Tversky(arguments.positional(0, "beta", BETA), arguments.nonlinearity());
    }

    @Override
    public double evaluate(Sums sums, double weight, Sums partials) {
        Row batch = new Row(0, sums.samples());
        int first = nonlinearity == Nonlinearity.SIGMOID ? 0 : 1;
        double share = weight / (sums.classes() - first);
        double value = weight;
        for (int c = first; c < sums.classes(); c++) {
            double numerator = batch.get(sums, c, Kind.INTERSECTION) + 1;
            double predicted = batch.get(sums, c, Kind.PROBABILITY);
            double denominator = (1 - beta) * predicted + beta * batch.get(sums, c, Kind.COUNT) + 1;
            value -= share * numerator / denominator;
            batch.add(partials, c, Kind.INTERSECTION, -share / denominator);
            batch.add(partials, c, Kind.PROBABILITY, share * numerator * (1 - beta) / (denominator * denominator));
        }
        return value;
    }

    @Override
    public String toString() {
        return new TermText("tversky")
                .positional("beta", beta, BETA)
                .argument("sigmoid", nonlinearity == Nonlinearity.SIGMOID, false)
                .toString();
    }
}
