package dev.voxgrad.losses;

import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.op.SegLoss.Kind;
import dev.voxgrad.engine.op.SegLoss.Nonlinearity;
import dev.voxgrad.engine.op.SegLoss.Sums;

/** 1 - the mean over the foreground classes of (I + 1) / ((1 - beta) P + beta G + 1), with I, P, G of the whole batch. */
record Tversky(double beta) implements RegionTerm {
    Tversky {
        if (!(beta >= 0 && beta <= 1)) {
            throw new ConfigException("tversky: beta " + beta + " is not in [0, 1]");
        }
    }

    static Tversky parse(Arguments arguments) {
        return new Tversky(arguments.number("beta", 0.7));
    }

    @Override
    public Nonlinearity nonlinearity() {
        return Nonlinearity.SOFTMAX;
    }

    @Override
    public double evaluate(Sums sums, double weight, Sums partials) {
        Row batch = new Row(0, sums.samples());
        double share = weight / (sums.classes() - 1);
        double value = weight;
        for (int c = 1; c < sums.classes(); c++) {
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
        return new TermText("tversky").argument("beta", beta, 0.7).toString();
    }
}
