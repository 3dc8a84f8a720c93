package dev.voxgrad.losses;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.voxgrad.engine.autograd.Gradients;
import dev.voxgrad.engine.autograd.Op;
import dev.voxgrad.engine.autograd.Tape;
import dev.voxgrad.engine.op.SegLoss.Nonlinearity;
import dev.voxgrad.engine.op.SegLoss.Sums;
import dev.voxgrad.engine.op.Softmax;
import dev.voxgrad.engine.tensor.Device;
import dev.voxgrad.engine.tensor.Labels;
import dev.voxgrad.engine.tensor.Shape;
import dev.voxgrad.engine.tensor.Tensor;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The check passes every loss there is, also where it has kinks, and fails each kind of mistake. */
class GradientCheckTest {
    private static final Shape SHAPE = new Shape(2, 1, 4, 5, 3);

    private static GradientCheck.Report check(Term term) {
        try (Device device = Device.cpu(1)) {
            SegmentationLoss loss = new SegmentationLoss(Sum.of(term), 3, OptionalInt.empty());
            return GradientCheck.check(device, loss, SHAPE, 1);
        }
    }

    @Test
    void everyLossPasses() {
        try (Device device = Device.cpu(1)) {
            for (String name : Losses.factories().keySet()) {
                String text = List.of("blob", "schedule").contains(name) ? name + "(dice)" : name;
                for (long seed = 0; seed < 3; seed++) {
                    assertThat(GradientCheck.check(device, text, SHAPE, seed))
                            .as("%s, seed %d", text, seed)
                            .allMatch(GradientCheck.Report::passes);
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"topk(0.1)", "topk(0.3) + focal", "dice + topk(0.02)"})
    void kinksDoNotFailACorrectLoss(String text) {
        try (Device device = Device.cpu(1)) {
            for (long seed = 0; seed < 12; seed++) {
                assertThat(GradientCheck.check(device, text, SHAPE, seed))
                        .as("%s, seed %d", text, seed)
                        .allMatch(GradientCheck.Report::passes);
            }
        }
    }

    @Test
    void manyVoxelsDoNotDrownTheGradient() {
        try (Device device = Device.cpu(2)) {
            assertThat(GradientCheck.check(device, "dice + ce", new Shape(1, 8, 16, 16, 4), 3))
                    .allMatch(GradientCheck.Report::passes);
        }
    }

    /** Cross entropy whose derivative is wrong by a factor, and perhaps whose value is spoilt. */
    private record Wrong(double factor, double value) implements RegionTerm {
        @Override
        public Nonlinearity nonlinearity() {
            return Nonlinearity.SOFTMAX;
        }

        @Override
        public double evaluate(Sums sums, double weight, Sums partials) {
            return value + CrossEntropy.DEFAULT.evaluate(sums, weight * factor, partials) / factor;
        }
    }

    @Test
    void aSmallWrongFactorFails() {
        assertThat(check(new Wrong(1, 0)).passes()).isTrue();
        for (double factor : new double[] {1.01, 0.99, -1}) {
            GradientCheck.Report report = check(new Wrong(factor, 0));
            assertThat(report.passes()).as("factor " + factor).isFalse();
            GradientCheck.Entry worst = report.worst().orElseThrow();
            assertThat(worst.analytic() / worst.numeric()).isCloseTo(factor, within(1e-3));
        }
    }

    @Test
    void aValueThatIsNotANumberFails() {
        assertThat(check(new Wrong(1, Double.NaN)).problem()).contains("not finite");
    }

    /** The Brier score, of the voxels that count or of all. */
    private record Brier(boolean forgetsMask) implements TensorTerm {
        @Override
        public Nonlinearity nonlinearity() {
            return Nonlinearity.SOFTMAX;
        }

        @Override
        public Tensor apply(Tape tape, Tensor logits, Labels labels, Optional<Labels> mask) {
            Tensor p = Softmax.apply(tape, logits);
            return TensorTermTest.Distance.apply(tape, p, labels, forgetsMask ? Optional.empty() : mask);
        }
    }

    @Test
    void forgettingTheMaskFails() {
        assertThat(check(new Brier(false)).passes()).isTrue();
        GradientCheck.Report report = check(new Brier(true));
        assertThat(report.passes()).isFalse();
        assertThat(report.problem()).contains("depends on voxels that the mask leaves out");
    }

    /** Cross entropy that knows no mask. */
    private record Unmasked() implements TensorTerm {
        @Override
        public Nonlinearity nonlinearity() {
            return Nonlinearity.SOFTMAX;
        }

        @Override
        public Tensor apply(Tape tape, Tensor logits, Labels labels, Optional<Labels> mask) {
            return new SegmentationLoss(Sum.of(CrossEntropy.DEFAULT), 3, OptionalInt.empty())
                    .apply(tape, logits, labels);
        }
    }

    @Test
    void readingLabelsUnderTheMaskFails() {
        assertThat(check(new Unmasked()).problem()).contains("reads labels that the mask leaves out");
    }

    /** An op that forgets the gradient that comes from above. */
    private record Forgetful(Tensor logits, Tensor gradient) implements Op {
        @Override
        public void backward(Tensor upstream, Gradients gradients) {
            gradients.give(logits, gradient.copy(gradients.scope()));
        }
    }

    @Test
    void forgettingTheUpstreamGradientFails() {
        TensorTerm term = new TensorTerm() {
            @Override
            public Nonlinearity nonlinearity() {
                return Nonlinearity.SOFTMAX;
            }

            @Override
            public Tensor apply(Tape tape, Tensor logits, Labels labels, Optional<Labels> mask) {
                SegmentationLoss ce = new SegmentationLoss(Sum.of(CrossEntropy.DEFAULT), 3, OptionalInt.empty());
                Tape inner = Tape.training(tape.scope(), List.of(logits));
                Tensor value = ce.apply(inner, logits, labels);
                Tensor gradient = inner.backward(value).of(logits).orElseThrow();
                Tensor y = tape.output(Shape.scalar());
                y.set(value.toArray());
                return tape.record(y, new Forgetful(logits, gradient), logits);
            }
        };
        GradientCheck.Report report = check(term);
        assertThat(report.passes()).isFalse();
        GradientCheck.Entry worst = report.worst().orElseThrow();
        assertThat(worst.analytic() / worst.numeric()).isCloseTo(1.0 / 3, within(1e-2));
    }
}
