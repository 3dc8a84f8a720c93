package dev.voxgrad.engine.op;

import dev.voxgrad.bindings.NativeContext;
import dev.voxgrad.bindings.ffi.VoxgradH;
import dev.voxgrad.bindings.ffi.vg_segloss;
import dev.voxgrad.engine.DataException;
import dev.voxgrad.engine.ShapeException;
import dev.voxgrad.engine.autograd.Gradients;
import dev.voxgrad.engine.autograd.Op;
import dev.voxgrad.engine.autograd.Tape;
import dev.voxgrad.engine.tensor.Labels;
import dev.voxgrad.engine.tensor.Shape;
import dev.voxgrad.engine.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Optional;

/**
 * The two passes that carry every segmentation loss. Pass 1 reads logits and labels once and returns {@link Sums}; a loss is a
 * {@link Formula} on them; pass 2 turns the formula's partial derivatives into the gradient of the logits.
 */
public final class SegLoss implements Op {
    /** How logits become probabilities. */
    public enum Nonlinearity {
        SOFTMAX,
        SIGMOID
    }

    /** The sums of {@code vg_segloss_sum}, in its order. */
    public enum Kind {
        /** Sum of p y. */
        INTERSECTION,
        /** Sum of p. */
        PROBABILITY,
        /** Sum of p squared. */
        SQUARE,
        /** Sum of -log p_c over the voxels of class c. */
        NLL_TRUE,
        /** Softmax: sum of -log p_c over all voxels; sigmoid: sum of -log(1 - p_c) over the voxels with y_c = 0. */
        NLL_OTHER,
        /** Voxels of class c; constant for the gradient. */
        COUNT,
        /** Voxels that count, the same for every class; constant for the gradient. */
        VOXELS
    }

    /** A table [sample][segment][class][kind] of doubles: the sums of pass 1, or derivatives by them. */
    public static final class Sums {
        private static final int KINDS = Kind.values().length;
        private final int samples;
        private final int segments;
        private final int classes;
        private final double[] values;

        /** A table of zeros. */
        public Sums(int samples, int segments, int classes) {
            this(samples, segments, classes, new double[samples * segments * classes * KINDS]);
        }

        private Sums(int samples, int segments, int classes, double[] values) {
            this.samples = samples;
            this.segments = segments;
            this.classes = classes;
            this.values = values;
        }

        /** Number of samples. */
        public int samples() {
            return samples;
        }

        /** Number of segments, 1 without a segment map. */
        public int segments() {
            return segments;
        }

        /** Number of classes or channels. */
        public int classes() {
            return classes;
        }

        /** One entry. */
        public double get(int sample, int segment, int clazz, Kind kind) {
            return values[index(sample, segment, clazz, kind)];
        }

        /** Adds to one entry. */
        public void add(int sample, int segment, int clazz, Kind kind, double value) {
            values[index(sample, segment, clazz, kind)] += value;
        }

        private int index(int sample, int segment, int clazz, Kind kind) {
            return ((sample * segments + segment) * classes + clazz) * KINDS + kind.ordinal();
        }
    }

    /** A loss as a function of the sums. */
    @FunctionalInterface
    public interface Formula {
        /**
         * Returns the value and adds its derivatives by the sums.
         *
         * @param sums of this batch
         * @param partials a table of the same sizes to add d value / d sum to
         */
        double evaluate(Sums sums, Sums partials);
    }

    /** What a pass needs beside logits and labels. {@code ignoreLabel} is -1 for none; the mask holds 0/1 bytes [N,D,H,W,1]. */
    public record Options(Nonlinearity nonlinearity, int ignoreLabel, Optional<Labels> mask) {
        /** Softmax over all voxels. */
        public static final Options SOFTMAX = new Options(Nonlinearity.SOFTMAX, -1, Optional.empty());

        /** Sigmoid over all voxels. */
        public static final Options SIGMOID = new Options(Nonlinearity.SIGMOID, -1, Optional.empty());
    }

    private final Tensor logits;
    private final Labels labels;
    private final Options options;
    private final Sums partials;

    private SegLoss(Tensor logits, Labels labels, Options options, Sums partials) {
        this.logits = logits;
        this.labels = labels;
        this.options = options;
        this.partials = partials;
    }

    /**
     * Evaluates a formula on the sums of a batch and records it.
     *
     * @return a scalar tensor
     * @throws DataException when a label is neither a class nor the ignore label
     */
    public static Tensor apply(Tape tape, Tensor logits, Labels labels, Options options, Formula formula) {
        Sums sums = sums(logits, labels, options);
        Sums partials = new Sums(sums.samples(), sums.segments(), sums.classes());
        double value = formula.evaluate(sums, partials);
        Tensor y = tape.output(Shape.scalar());
        y.set(new float[] {(float) value});
        return tape.record(y, new SegLoss(logits, labels, options, partials), logits);
    }

    /**
     * Pass 1 alone.
     *
     * @throws DataException when a label is neither a class nor the ignore label
     */
    public static Sums sums(Tensor logits, Labels labels, Options options) {
        Shape s = logits.shape();
        boolean sigmoid = options.nonlinearity() == Nonlinearity.SIGMOID;
        Shape wanted = sigmoid ? s : s.withChannels(1);
        if (!labels.shape().equals(wanted)) {
            throw new ShapeException("loss: labels " + labels.shape() + " for logits " + s + ", expected " + wanted);
        }
        if (options.mask().isPresent() && !options.mask().get().shape().equals(s.withChannels(1))) {
            throw new ShapeException("loss: mask " + options.mask().get().shape() + " for logits " + s);
        }
        int n = Math.toIntExact(s.n());
        int c = Math.toIntExact(s.c());
        NativeContext context = logits.device().context();
        try (Arena arena = Arena.ofConfined()) {
            double[] values = new double[n * c * Sums.KINDS];
            MemorySegment out = arena.allocate(ValueLayout.JAVA_DOUBLE, values.length);
            MemorySegment bad = arena.allocate(ValueLayout.JAVA_LONG, 2);
            context.check(VoxgradH.vg_segloss_forward(
                    context.handle(),
                    problem(arena, logits, s.c(), options),
                    logits.data(),
                    labels.data(),
                    mask(options),
                    MemorySegment.NULL,
                    MemorySegment.NULL,
                    MemorySegment.NULL,
                    out,
                    MemorySegment.NULL,
                    bad));
            long count = bad.getAtIndex(ValueLayout.JAVA_LONG, 0);
            if (count > 0) {
                throw new DataException("loss: " + count + " voxels have a label that is neither "
                        + (sigmoid ? "0 nor 1" : "a class (0 to " + (c - 1) + ") nor the ignore label")
                        + ", the first one is "
                        + bad.getAtIndex(ValueLayout.JAVA_LONG, 1)
                        + "; check the label files and the labels of dataset.json");
            }
            MemorySegment.copy(out, ValueLayout.JAVA_DOUBLE, 0, values, 0, values.length);
            return new Sums(n, 1, c, values);
        }
    }

    private static MemorySegment mask(Options options) {
        return options.mask().map(Labels::data).orElse(MemorySegment.NULL);
    }

    private static MemorySegment problem(Arena arena, Tensor logits, long dxStride, Options options) {
        MemorySegment p = vg_segloss.allocate(arena);
        vg_segloss.size(p, vg_segloss.sizeof());
        vg_segloss.n(p, logits.shape().n());
        vg_segloss.voxels(p, logits.shape().voxels());
        vg_segloss.c(p, logits.shape().c());
        vg_segloss.x_stride(p, logits.stride());
        vg_segloss.dx_stride(p, dxStride);
        vg_segloss.segments(p, 1);
        vg_segloss.sigmoid(p, options.nonlinearity() == Nonlinearity.SIGMOID ? 1 : 0);
        vg_segloss.ignore_label(p, options.ignoreLabel());
        vg_segloss.channel_segments(p, 0);
        vg_segloss.kinds(p, 0);
        return p;
    }

    @Override
    public void backward(Tensor gradient, Gradients gradients) {
        if (!gradients.wants(logits)) {
            return;
        }
        NativeContext context = logits.device().context();
        Tensor dx = gradients.make(logits.shape());
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment table = arena.allocate(ValueLayout.JAVA_DOUBLE, partials.values.length);
            MemorySegment.copy(partials.values, 0, table, ValueLayout.JAVA_DOUBLE, 0, partials.values.length);
            context.check(VoxgradH.vg_segloss_backward(
                    context.handle(),
                    problem(arena, logits, dx.stride(), options),
                    logits.data(),
                    labels.data(),
                    mask(options),
                    MemorySegment.NULL,
                    MemorySegment.NULL,
                    MemorySegment.NULL,
                    table,
                    MemorySegment.NULL,
                    gradient.item(),
                    dx.data()));
        }
        gradients.give(logits, dx);
    }
}
