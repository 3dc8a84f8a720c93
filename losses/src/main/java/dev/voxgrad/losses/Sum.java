package dev.voxgrad.losses;

import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.op.SegLoss.Nonlinearity;
import dev.voxgrad.engine.op.SegLoss.Sums;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * A weighted sum of terms that share the two loss passes. Sums inside a sum are unfolded.
 *
 * @param parts at least one, all with the same nonlinearity
 */
public record Sum(List<Part> parts) implements Term {
    /**
     * A term and its factor. A term with weight 0 is not evaluated, so it cannot make the sum NaN or infinite.
     *
     * @param weight finite, at least 0
     */
    public record Part(double weight, Term term) {
        /** Checks the weight. */
        public Part {
            if (!(weight >= 0 && weight < Double.POSITIVE_INFINITY)) {
                throw new ConfigException(
                        "loss: the weight of " + term + " is " + weight + ", it must be a number of at least 0");
            }
        }

        @Override
        public String toString() {
            return weight == 1 ? term.toString() : TermText.number(weight) + "*" + term;
        }
    }

    /** Unfolds sums and checks that the parts go together. */
    public Sum {
        List<Part> flat = new ArrayList<>();
        for (Part part : parts) {
            if (part.term instanceof Sum inner) {
                inner.parts.forEach(p -> flat.add(new Part(part.weight * p.weight, p.term)));
            } else {
                flat.add(part);
            }
        }
        if (flat.isEmpty()) {
            throw new ConfigException("loss: a sum needs at least one term");
        }
        Term first = flat.getFirst().term;
        for (Part part : flat) {
            if (part.term.nonlinearity() != first.nonlinearity()) {
                throw new ConfigException(
                        "loss: " + first + " is a loss of " + first.nonlinearity() + " probabilities, " + part.term
                                + " one of " + part.term.nonlinearity() + " probabilities; a sum needs one kind");
            }
        }
        parts = List.copyOf(flat);
    }

    /** Terms with weight 1. */
    public static Sum of(Term... terms) {
        return new Sum(List.of(terms).stream().map(t -> new Part(1, t)).toList());
    }

    @Override
    public Nonlinearity nonlinearity() {
        return parts.getFirst().term.nonlinearity();
    }

    @Override
    public void requireClasses(int classes) {
        parts.forEach(p -> p.term.requireClasses(classes));
    }

    @Override
    public double evaluate(Sums sums, double weight, Sums partials) {
        double value = 0;
        for (Part part : parts) {
            if (part.weight != 0) {
                value += part.term.evaluate(sums, weight * part.weight, partials);
            }
        }
        return value;
    }

    @Override
    public String toString() {
        return parts.stream().map(Part::toString).collect(Collectors.joining(" + "));
    }
}
