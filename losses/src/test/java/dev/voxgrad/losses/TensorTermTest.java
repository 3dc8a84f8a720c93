package dev.voxgrad.losses;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.voxgrad.engine.DataException;
import dev.voxgrad.engine.autograd.Gradients;
import dev.voxgrad.engine.autograd.Op;
import dev.voxgrad.engine.autograd.Tape;
import dev.voxgrad.engine.op.SegLoss.Kind;
import dev.voxgrad.engine.op.SegLoss.Nonlinearity;
import dev.voxgrad.engine.op.SegLoss.Sums;
import dev.voxgrad.engine.op.Softmax;
import dev.voxgrad.engine.tensor.Device;
import dev.voxgrad.engine.tensor.Labels;
import dev.voxgrad.engine.tensor.Shape;
import dev.voxgrad.engine.tensor.Tensor;
import dev.voxgrad.golden.Devices;
import dev.voxgrad.golden.EachDevice;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** A term of autograd ops beside terms of sums: the Brier score is both, so one can be compared with the other. */
class TensorTermTest {
    private static final Shape SHAPE = new Shape(2, 2, 3, 4, 3);
    private static final int IGNORED = 7;

    private final Random random = new Random(77);

    /** sum_c (p_c - y_c)^2 = sum p^2 - 2 sum p y + sum y, over the voxels that count. */
    private record OfSums() implements RegionTerm {
        @Override
        public Nonlinearity nonlinearity() {
            return Nonlinearity.SOFTMAX;
        }

        @Override
        public double evaluate(Sums sums, double weight, Sums partials) {
            double voxels = 0;
            for (int n = 0; n < sums.samples(); n++) {
                voxels += sums.get(n, 0, Kind.VOXELS);
            }
            double factor = weight / voxels;
            double value = 0;
            for (int n = 0; n < sums.samples(); n++) {
                for (int c = 0; c < sums.classes(); c++) {
                    value += sums.get(n, c, Kind.SQUARE) - 2 * sums.get(n, c, Kind.INTERSECTION);
                    value += sums.get(n, c, Kind.COUNT);
                    partials.add(n, c, Kind.SQUARE, factor);
                    partials.add(n, c, Kind.INTERSECTION, -2 * factor);
                }
            }
            return factor * value;
        }
    }

    private record OfOps() implements TensorTerm {
        @Override
        public Nonlinearity nonlinearity() {
            return Nonlinearity.SOFTMAX;
        }

        @Override
        public Tensor apply(Tape tape, Tensor logits, Labels labels, Optional<Labels> mask) {
            return Distance.apply(tape, Softmax.apply(tape, logits), labels, mask);
        }
    }

    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Distance(Tensor p, float[] dp) implements Op {
        static Tensor apply(Tape tape, Tensor p, Labels labels, Optional<Labels> mask) {
            float[] x = p.toArray();
            byte[] label = labels.toArray();
            Optional<byte[]> counted = mask.map(Labels::toArray);
            int classes = (int) p.shape().c();
            float[] dp = new float[x.length];
            double sum = 0;
            int voxels = 0;
            for (int v = 0; v < label.length; v++) {
                if (counted.isEmpty() || counted.get()[v] != 0) {
                    voxels++;
                    for (int c = 0; c < classes; c++) {
                        float distance = x[v * classes + c] - (label[v] == c ? 1 : 0);
                        sum += (double) distance * distance;
                        dp[v * classes + c] = 2 * distance;
                    }
                }
            }
            for (int i = 0; i < dp.length; i++) {
                dp[i] /= voxels;
            }
            Tensor y = tape.output(Shape.scalar());
            y.set(new float[] {(float) (sum / voxels)});
            return tape.record(y, new Distance(p, dp), p);
        }

        @Override
        public void backward(Tensor gradient, Gradients gradients) {
            float[] scaled = dp.clone();
            for (int i = 0; i < scaled.length; i++) {
                scaled[i] *= (float) gradient.item();
            }
            Tensor dx = gradients.make(p.shape());
            dx.set(scaled);
            gradients.give(p, dx);
        }
    }

    private static SegmentationLoss loss(OptionalInt ignore, Term... terms) {
        Sum sum = new Sum(Stream.of(terms)
                .map(term -> new Sum.Part(term instanceof SoftDice ? 1 : 2.5, term))
                .toList());
        return new SegmentationLoss(sum, 3, ignore);
    }

    private static void assertSame(Device device, Batch batch, SegmentationLoss found, SegmentationLoss expected) {
        assertThat(batch.value(device, found)).isCloseTo(batch.value(device, expected), within(1e-6));
        float[] gradient = batch.gradient(device, found);
        float[] wanted = batch.gradient(device, expected);
        for (int i = 0; i < gradient.length; i++) {
            assertThat((double) gradient[i]).as("logit %d", i).isCloseTo(wanted[i], within(1e-7));
        }
    }

    @Test
    void aloneItIsWhatItsOpsAre() {
        Batch batch = Batch.random(random, SHAPE, 1, Nonlinearity.SOFTMAX);
        try (Device device = Device.cpu(1)) {
            assertSame(device, batch, loss(OptionalInt.empty(), new OfOps()), loss(OptionalInt.empty(), new OfSums()));
        }
    }

    @Test
    void inASumItAddsToThePasses() {
        Batch batch = Batch.random(random, SHAPE, 1, Nonlinearity.SOFTMAX);
        try (Device device = Device.cpu(1)) {
            assertSame(
                    device,
                    batch,
                    loss(OptionalInt.empty(), SoftDice.DEFAULT, new OfOps()),
                    loss(OptionalInt.empty(), SoftDice.DEFAULT, new OfSums()));
        }
    }

    @Test
    void theIgnoreLabelArrivesAsAMask() {
        Batch whole = Batch.random(random, SHAPE, 1, Nonlinearity.SOFTMAX);
        byte[] labels = whole.labels().clone();
        for (int i = 0; i < labels.length; i += 3) {
            labels[i] = IGNORED;
        }
        Batch batch = whole.withLabels(labels);
        OptionalInt ignore = OptionalInt.of(IGNORED);
        try (Device device = Device.cpu(1)) {
            assertSame(
                    device,
                    batch,
                    loss(ignore, SoftDice.DEFAULT, new OfOps()),
                    loss(ignore, SoftDice.DEFAULT, new OfSums()));
        }
    }

    @EachDevice
    void nanUnderTheIgnoreLabelDoesNotLeak(String name) {
        Batch whole = Batch.random(random, SHAPE, 1, Nonlinearity.SOFTMAX);
        byte[] labels = whole.labels().clone();
        labels[3] = IGNORED;
        labels[20] = IGNORED;
        float[] logits = whole.logits().clone();
        logits[3 * 3 + 1] = Float.NaN;
        logits[20 * 3] = Float.NEGATIVE_INFINITY;
        Batch clean = whole.withLabels(labels);
        Batch dirty = clean.withLogits(logits);
        try (Device device = Devices.open(name)) {
            for (Term[] terms : new Term[][] {{new OfOps()}, {SoftDice.DEFAULT, new OfOps()}}) {
                SegmentationLoss loss = loss(OptionalInt.of(IGNORED), terms);
                assertThat(dirty.value(device, loss))
                        .isEqualTo(clean.value(device, loss))
                        .isFinite();
                float[] gradient = dirty.gradient(device, loss);
                assertThat(gradient).isEqualTo(clean.gradient(device, loss));
                assertThat(Arrays.copyOfRange(gradient, 9, 12)).containsOnly(0f);
                assertThat(Arrays.copyOfRange(gradient, 60, 63)).containsOnly(0f);
            }
        }
    }

    @EachDevice
    void aloneItsLabelsAreCheckedToo(String name) {
        Batch whole = Batch.random(random, SHAPE, 1, Nonlinearity.SOFTMAX);
        byte[] labels = whole.labels().clone();
        labels[5] = (byte) 200;
        Batch batch = whole.withLabels(labels);
        SegmentationLoss loss = loss(OptionalInt.empty(), new OfOps());
        try (Device device = Devices.open(name)) {
            assertThatThrownBy(() -> batch.gradient(device, loss))
                    .isInstanceOf(DataException.class)
                    .hasMessageContaining("200");
            assertThatThrownBy(() -> batch.value(device, loss)).isInstanceOf(DataException.class);
        }
    }

    @Test
    void ofWeightZeroItIsNotEvaluated() {
        TensorTerm broken = new TensorTerm() {
            @Override
            public Nonlinearity nonlinearity() {
                return Nonlinearity.SOFTMAX;
            }

            @Override
            public Tensor apply(Tape tape, Tensor logits, Labels labels, Optional<Labels> mask) {
                throw new AssertionError("evaluated");
            }
        };
        Sum sum = new Sum(List.of(new Sum.Part(0, broken), new Sum.Part(1, SoftDice.DEFAULT)));
        Batch batch = Batch.random(random, SHAPE, 1, Nonlinearity.SOFTMAX);
        try (Device device = Device.cpu(1)) {
            assertThat(batch.gradient(device, new SegmentationLoss(sum, 3, OptionalInt.empty())))
                    .isEqualTo(batch.gradient(device, loss(OptionalInt.empty(), SoftDice.DEFAULT)));
        }
    }
}
