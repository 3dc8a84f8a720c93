package dev.voxgrad.losses;

import dev.voxgrad.engine.op.SegLoss.Nonlinearity;
import dev.voxgrad.engine.op.SegLoss.Sums;
import java.util.ArrayList;
import java.util.List;

/** The built-in losses and one that uses every kind of argument. */
final class TestLosses {
    static final Catalog CATALOG = catalog();

    private TestLosses() {}

    private static Catalog catalog() {
        List<LossFactory> all = new ArrayList<>(Losses.factories().values());
        all.add(new Wrapping());
        all.add(LossFactory.ofSigmoid("regions", "a sigmoid loss", arguments -> new Regions()));
        return new Catalog(all);
    }

    /** A loss around a loss. */
    record Wrap(Sum inner, double share, CrossEntropy.Reduction reduction, int order, ClassWeights weights)
            implements RegionTerm {
        @Override
        public Nonlinearity nonlinearity() {
            return inner.nonlinearity();
        }

        @Override
        public double evaluate(Sums sums, double weight, Sums partials) {
            return Sum.evaluate(inner.evaluated(), sums, weight * share, partials);
        }

        @Override
        public String toString() {
            return new TermText("wrap")
                    .positional(inner)
                    .positional("share", share, 0.5)
                    .positional("reduction", reduction, CrossEntropy.Reduction.MEAN)
                    .argument("order", order, 1)
                    .argument("weights", weights)
                    .toString();
        }
    }

    /** Makes {@link Wrap}. */
    static final class Wrapping implements LossFactory {
        @Override
        public String name() {
            return "wrap";
        }

        @Override
        public String description() {
            return "a loss around a loss";
        }

        @Override
        public Term parse(Arguments arguments) {
            double share = arguments.positional(1, "share", 0.5);
            if (!(share >= 0 && share <= 1)) {
                throw arguments.error("share", "share " + TermText.number(share) + " is not in [0, 1]");
            }
            return new Wrap(
                    arguments.loss(0),
                    share,
                    arguments.positional(2, "reduction", CrossEntropy.Reduction.MEAN),
                    arguments.integer("order", 1),
                    arguments.weights("weights"));
        }
    }

    /** A loss for sigmoid alone; its value is 0. */
    record Regions() implements RegionTerm {
        @Override
        public Nonlinearity nonlinearity() {
            return Nonlinearity.SIGMOID;
        }

        @Override
        public double evaluate(Sums sums, double weight, Sums partials) {
            return 0;
        }

        @Override
        public String toString() {
            return "regions";
        }
    }
}
