package dev.voxgrad.losses;

import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.op.Components;
import dev.voxgrad.engine.op.SegLoss.Kind;
import dev.voxgrad.engine.op.SegLoss.Nonlinearity;
import dev.voxgrad.engine.op.SegLoss.Sums;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Blob loss around any terms of the sums: every connected component of the targets weighs the same, however small it is. Kofler et al.,
 * "blob loss: instance imbalance aware loss functions for semantic segmentation", 2022.
 *
 * <pre>
 * L    = alpha * inner(everything) + beta * blob
 * blob = mean over the pairs (sample, channel) with components of
 *          mean over the components j of the pair of inner(background and component j)
 * </pre>
 *
 * <p>What becomes of the other components of the channel in the term of component j is the {@link Mask}. Whatever it is, a voxel gets
 * gradient of the blob part only through its own component's term, a background voxel through all of them. A pair without components
 * does not enter the mean; when no pair has one, blob is 0. alpha and beta are always applied. Ignored voxels belong to no set. The cost
 * is that of one pass with components as segments, plus scalars per component.
 *
 * @param inner terms of sums with sigmoid, evaluated on one sample and channel at a time for the components
 * @param alpha weight of the plain loss, at least 0
 * @param beta weight of the components, at least 0
 * @param connectivity 6, 18 or 26 neighbours; 4, 8, 8 in 2D
 * @param mask the other components
 */
public record Blob(Sum inner, double alpha, double beta, int connectivity, Mask mask) implements Term {
    /** What a voxel of another component is in the term of a component. */
    public enum Mask {
        /** A voxel with logit 0, so p = 1/2, and target 0: what the method's public code does with losses of logits. */
        ZERO_LOGIT,
        /** A voxel with p = 0 and target 0: what it does with losses of probabilities. */
        ZERO_PROB,
        /** Not there. */
        EXCLUDE
    }

    private static final double ALPHA = 0.66;
    private static final double BETA = 0.33;
    private static final int CONNECTIVITY = 26;

    /** Checks the ranges and that every inner term can be evaluated on one channel. */
    public Blob {
        if (!(alpha >= 0 && beta >= 0 && alpha + beta > 0 && alpha + beta < Double.POSITIVE_INFINITY)) {
            throw new ConfigException(
                    "blob: alpha " + alpha + " and beta " + beta + " must be numbers of at least 0, not both 0");
        }
        if (!Components.CONNECTIVITIES.contains(connectivity)) {
            throw new ConfigException("blob: connectivity " + connectivity + " is none of "
                    + Components.CONNECTIVITIES.stream().map(String::valueOf).collect(Collectors.joining(", ")));
        }
        if (inner.nonlinearity() != Nonlinearity.SIGMOID) {
            throw new ConfigException("blob: " + inner + " is a softmax loss; components need independent channels,"
                    + " so set sigmoid=true in its terms");
        }
        for (Sum.Part part : inner.parts()) {
            if (!(part.term() instanceof RegionTerm)) {
                throw new ConfigException("blob: " + part.term()
                        + " is no function of sums over regions, so it cannot be" + " evaluated for each component");
            }
        }
    }

    static Blob parse(Arguments arguments) {
        return new Blob(
                arguments.loss(0),
                arguments.number("alpha", ALPHA),
                arguments.number("beta", BETA),
                arguments.integer("connectivity", CONNECTIVITY),
                arguments.choice("mask", Mask.ZERO_LOGIT));
    }

    @Override
    public Nonlinearity nonlinearity() {
        return Nonlinearity.SIGMOID;
    }

    @Override
    public void requireClasses(int classes) {
        inner.requireClasses(classes);
        for (int channel = 0; channel < classes; channel++) {
            for (Sum.Part part : inner.parts()) {
                ((RegionTerm) part.term()).ofChannel(channel).requireClasses(1);
            }
        }
    }

    /**
     * Evaluates both parts.
     *
     * @param sums with the components of each sample and channel as segments from 1 and the background as segment 0
     * @param weight factor of this term, not 0
     * @param partials gets the derivatives added
     */
    double evaluate(Sums sums, double weight, Sums partials) {
        double value = alpha > 0 ? Sum.evaluate(inner.evaluated(), sums, weight * alpha, partials) : 0;
        return beta > 0 ? value + components(sums, weight * beta, partials) : value;
    }

    private double components(Sums sums, double weight, Sums partials) {
        List<Pair> pairs = new ArrayList<>();
        for (int sample = 0; sample < sums.samples(); sample++) {
            for (int channel = 0; channel < sums.classes(); channel++) {
                Pair pair = new Pair(sums, partials, sample, channel);
                if (pair.components > 0) {
                    pairs.add(pair);
                }
            }
        }
        double value = 0;
        for (Pair pair : pairs) {
            value += pair.evaluate(weight / pairs.size() / pair.components);
        }
        return value;
    }

    /** One sample and channel. */
    private final class Pair {
        private final Sums sums;
        private final Sums partials;
        private final int sample;
        private final int channel;
        private final int components;
        private final Sums one = new Sums(1, 1, 1);
        private final Sums derivatives = new Sums(1, 1, 1);

        Pair(Sums sums, Sums partials, int sample, int channel) {
            this.sums = sums;
            this.partials = partials;
            this.sample = sample;
            this.channel = channel;
            int last = sums.segments() - 1;
            while (last > 0 && sums.get(sample, last, channel, Kind.COUNT) == 0) {
                last--; // the table is as long as the pair with most components needs
            }
            this.components = last;
        }

        double evaluate(double share) {
            List<Sum.Part> terms = inner.evaluated().stream()
                    .map(p -> new Sum.Part(p.weight(), ((RegionTerm) p.term()).ofChannel(channel)))
                    .toList();
            Set<Kind> kinds = Sums.readBy((s, d) -> Sum.evaluate(terms, s, 1, d), 1, 1, 1);
            double foreground = 0;
            for (int j = 1; j <= components; j++) {
                foreground += sums.get(sample, j, channel, Kind.COUNT);
            }
            double value = 0;
            for (int j = 1; j <= components; j++) {
                double others = foreground - sums.get(sample, j, channel, Kind.COUNT);
                one.clear();
                for (Kind kind : kinds) {
                    double kept = sums.get(sample, 0, channel, kind) + sums.get(sample, j, channel, kind);
                    one.add(0, 0, kind, kept + masked(kind, others));
                }
                derivatives.clear();
                value += Sum.evaluate(terms, one, share, derivatives);
                for (Kind kind : Kind.values()) {
                    double derivative = derivatives.get(0, 0, kind);
                    partials.add(sample, 0, channel, kind, derivative);
                    partials.add(sample, j, channel, kind, derivative);
                }
            }
            return value;
        }
    }

    /** What voxels of other components add to a sum. */
    private double masked(Kind kind, double others) {
        return switch (kind) {
            case PROBABILITY -> mask == Mask.ZERO_LOGIT ? others / 2 : 0;
            case SQUARE -> mask == Mask.ZERO_LOGIT ? others / 4 : 0;
            case NLL_OTHER -> mask == Mask.ZERO_LOGIT ? others * Math.log(2) : 0;
            case VOXELS -> mask == Mask.EXCLUDE ? 0 : others;
            case INTERSECTION, NLL_TRUE, COUNT -> 0;
        };
    }

    @Override
    public String toString() {
        return new TermText("blob")
                .positional(inner)
                .argument("alpha", alpha, ALPHA)
                .argument("beta", beta, BETA)
                .argument("connectivity", connectivity, CONNECTIVITY)
                .argument("mask", mask, Mask.ZERO_LOGIT)
                .toString();
    }
}
