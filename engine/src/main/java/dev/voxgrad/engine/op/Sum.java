package dev.voxgrad.engine.op;

import dev.voxgrad.engine.ShapeException;
import dev.voxgrad.engine.autograd.Gradients;
import dev.voxgrad.engine.autograd.Op;
import dev.voxgrad.engine.autograd.Tape;
import dev.voxgrad.engine.tensor.Shape;
import dev.voxgrad.engine.tensor.Tensor;
import java.util.List;

/** A weighted sum of scalars, y = sum_i w_i x_i: a loss made of losses. The gradient of x_i is w_i dy. */
public final class Sum implements Op {
    /** One summand with its weight. */
    public record Term(float weight, Tensor x) {
        /** The tensor must have one element. */
        public Term {
            if (x.shape().elements() != 1) {
                throw new ShapeException("sum: a term must be a scalar, this one is " + x.shape());
            }
        }
    }

    private final List<Term> terms;

    private Sum(List<Term> terms) {
        this.terms = terms;
    }

    /** Adds the terms in their order and records the op; there must be at least one. */
    public static Tensor apply(Tape tape, List<Term> terms) {
        if (terms.isEmpty()) {
            throw new IllegalArgumentException("sum: no terms");
        }
        Tensor y = tape.output(Shape.scalar());
        y.fill(0);
        for (Term term : terms) {
            y.addScaled(term.weight(), term.x());
        }
        return tape.record(
                y, new Sum(List.copyOf(terms)), terms.stream().map(Term::x).toArray(Tensor[]::new));
    }

    @Override
    public void backward(Tensor dy, Gradients gradients) {
        for (Term term : terms) {
            if (gradients.wants(term.x())) {
                Tensor dx = gradients.make(Shape.scalar());
                dx.setScaled(term.weight(), dy);
                gradients.give(term.x(), dx);
            }
        }
    }
}
