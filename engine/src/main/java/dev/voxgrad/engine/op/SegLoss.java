package dev.voxgrad.engine.op;

import dev.voxgrad.engine.DataException;
import dev.voxgrad.engine.autograd.Gradients;
import dev.voxgrad.engine.autograd.Op;
import dev.voxgrad.engine.autograd.Tape;
import dev.voxgrad.engine.tensor.Labels;
import dev.voxgrad.engine.tensor.Scope;
import dev.voxgrad.engine.tensor.Shape;
import dev.voxgrad.engine.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Consumer;

/**
 * The two passes that carry every segmentation loss. Pass 1 reads logits and labels once and returns {@link Sums} and, where it
 * is asked for, one number per voxel; a loss is a function of them; pass 2 turns its derivatives into the gradient of the logits.
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

    /**
     * A table [sample][segment][class][kind] of doubles: the sums of pass 1, or derivatives by them. Most formulas do not know
     * segments: for them an entry is the total of a sample and class. Pass 1 computes the kinds that a formula is known to read;
     * if it reads another one after all, the pass is repeated with all kinds.
     */
    public static final class Sums {
        private static final int KINDS = Kind.values().length;
        private static final int ALL = (1 << KINDS) - 1;

        private final int samples;
        private final int segments;
        private final int classes;
        private final double[] values;
        private final Consumer<Sums> completion;
        private int computed;
        private int read;

        /** A table of zeros. */
        public Sums(int samples, int segments, int classes) {
            this(samples, segments, classes, ALL, sums -> {});
        }

        Sums(int samples, int segments, int classes, int computed, Consumer<Sums> completion) {
            this.samples = samples;
            this.segments = segments;
            this.classes = classes;
            this.values = new double
                    [Math.multiplyExact(Math.multiplyExact(samples, segments), Math.multiplyExact(classes, KINDS))];
            this.computed = computed;
            this.completion = completion;
        }

        /** The kinds that a formula reads: it is run on a table of ones. */
        public static Set<Kind> readBy(Formula formula, int samples, int segments, int classes) {
            Sums probe = new Sums(samples, segments, classes);
            Arrays.fill(probe.values, 1);
            formula.evaluate(probe, new Sums(samples, segments, classes));
            Set<Kind> kinds = EnumSet.noneOf(Kind.class);
            for (Kind kind : Kind.values()) {
                if ((probe.read & bit(kind)) != 0) {
                    kinds.add(kind);
                }
            }
            return kinds;
        }

        /** The bit of a kind in {@code vg_segloss.kinds}. */
        static int bit(Kind kind) {
            return 1 << kind.ordinal();
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

        /** The total of a sample and class over all segments. */
        public double get(int sample, int clazz, Kind kind) {
            double total = 0;
            for (int segment = 0; segment < segments; segment++) {
                total += get(sample, segment, clazz, kind);
            }
            return total;
        }

        /** One entry. */
        public double get(int sample, int segment, int clazz, Kind kind) {
            read |= bit(kind);
            if ((computed & bit(kind)) == 0) {
                computed = ALL;
                completion.accept(this);
            }
            return values[index(sample, segment, clazz, kind)];
        }

        /** Adds the derivative by the total of a sample and class: it is the same for every segment. */
        public void add(int sample, int clazz, Kind kind, double value) {
            for (int segment = 0; segment < segments; segment++) {
                add(sample, segment, clazz, kind, value);
            }
        }

        /** Adds to one entry. */
        public void add(int sample, int segment, int clazz, Kind kind, double value) {
            values[index(sample, segment, clazz, kind)] += value;
        }

        /** Sets every entry to 0. */
        public void clear() {
            Arrays.fill(values, 0);
        }

        /** Takes in what a pass over some channels found. */
        void put(int firstClass, int count, double[] table) {
            int rows = table.length / (samples * count * KINDS);
            for (int row = 0; row < samples * rows; row++) {
                int to = ((row / rows * segments + row % rows) * classes + firstClass) * KINDS;
                System.arraycopy(table, row * count * KINDS, values, to, count * KINDS);
            }
        }

        /** The first segments of some channels. */
        double[] take(int firstClass, int count, int rows) {
            double[] table = new double[samples * rows * count * KINDS];
            for (int row = 0; row < samples * rows; row++) {
                int from = ((row / rows * segments + row % rows) * classes + firstClass) * KINDS;
                System.arraycopy(values, from, table, row * count * KINDS, count * KINDS);
            }
            return table;
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

    /**
     * A loss as a function of one number per voxel, softmax only: {@code trueWeights[t] (-log p_t) + sum_c otherWeights[c] (-log p_c)}
     * for a voxel of label t.
     */
    public interface VoxelFormula {
        /** The first factor for each class. */
        double[] trueWeights(int classes);

        /** The second one. */
        double[] otherWeights(int classes);

        /** Returns the value and replaces the numbers of the voxels by the derivatives of the value. */
        double evaluate(VoxelLosses losses);
    }

    /**
     * What a pass needs beside logits and labels.
     *
     * @param ignoreLabel class of voxels that do not count, -1 for none; not for 0/1 targets
     * @param mask 0/1 bytes [N,D,H,W,1]
     * @param regions sigmoid: labels are classes [N,D,H,W,1], and these are the channels; without, labels are targets [N,D,H,W,C]
     */
    public record Options(
            Nonlinearity nonlinearity, int ignoreLabel, Optional<Labels> mask, Optional<Regions> regions) {
        /** Softmax over all voxels. */
        public static final Options SOFTMAX = new Options(Nonlinearity.SOFTMAX, -1, Optional.empty());

        /** Sigmoid over all voxels, of 0/1 targets. */
        public static final Options SIGMOID = new Options(Nonlinearity.SIGMOID, -1, Optional.empty());

        /** Without regions. */
        public Options(Nonlinearity nonlinearity, int ignoreLabel, Optional<Labels> mask) {
            this(nonlinearity, ignoreLabel, mask, Optional.empty());
        }

        /** True when labels are 0/1 targets of each channel. */
        boolean targets() {
            return nonlinearity == Nonlinearity.SIGMOID && regions.isEmpty();
        }
    }

    /**
     * What one reading of logits and labels is used for.
     *
     * @param formula of the sums
     * @param voxels of the voxels; the value of the pass is the sum of both
     * @param connectivity when present, each connected component of the targets of a sample and channel (sigmoid) is a segment of
     *     the sums, numbered from 1, and the background is segment 0; see {@link Components}
     */
    public record Pass(Formula formula, Optional<VoxelFormula> voxels, OptionalInt connectivity) {
        /** Sums without segments. */
        public static Pass of(Formula formula) {
            return new Pass(formula, Optional.empty(), OptionalInt.empty());
        }
    }

    private final Tensor logits;
    private final List<SegLossPass> passes;
    private final VoxelMemory memory;

    private SegLoss(Tensor logits, List<SegLossPass> passes, VoxelMemory memory) {
        this.logits = logits;
        this.passes = passes;
        this.memory = memory;
    }

    /** {@link #apply(Tape, Tensor, Labels, Options, List)} with one formula of the sums. */
    public static Tensor apply(Tape tape, Tensor logits, Labels labels, Options options, Formula formula) {
        return apply(tape, logits, labels, options, List.of(Pass.of(formula)));
    }

    /**
     * Evaluates a loss on a batch and records it.
     *
     * @param passes the value is the sum of theirs
     * @return a scalar tensor
     * @throws dev.voxgrad.engine.DataException when a label is neither a class nor the ignore label
     */
    public static Tensor apply(Tape tape, Tensor logits, Labels labels, Options options, List<Pass> passes) {
        List<SegLossPass> done = new ArrayList<>();
        VoxelMemory memory = new VoxelMemory(tape.scope(), logits.shape());
        double value = forward(logits, labels, options, passes, memory, done);
        if (!tape.tracks(logits)) {
            memory.free();
        }
        Tensor y = tape.output(Shape.scalar());
        y.set(new float[] {(float) value});
        return tape.record(y, new SegLoss(logits, done, memory), logits);
    }

    private static double forward(
            Tensor logits,
            Labels labels,
            Options options,
            List<Pass> passes,
            VoxelMemory memory,
            List<SegLossPass> done) {
        double value = 0;
        for (Pass pass : passes) {
            SegLossPass p = new SegLossPass(logits, labels, options, pass, memory);
            value += p.forward();
            done.add(p);
        }
        return value;
    }

    /** The value alone, in float64. */
    public static double value(Tensor logits, Labels labels, Options options, List<Pass> passes) {
        try (Scope scope = logits.device().scope()) {
            return forward(logits, labels, options, passes, new VoxelMemory(scope, logits.shape()), new ArrayList<>());
        }
    }

    /**
     * The error of labels that a loss cannot use.
     *
     * @param count voxels that have one
     * @param first of these labels
     * @param what such a label is, for example {@code neither 0 nor 1}
     */
    public static DataException wrongLabels(long count, int first, String what) {
        return new DataException("loss: " + (count == 1 ? "1 voxel has" : count + " voxels have") + " a label that is "
                + what + (count == 1 ? ": " : ", the first one is ") + first
                + "; check the label files and the labels of dataset.json");
    }

    @Override
    public void backward(Tensor gradient, Gradients gradients) {
        if (passes.isEmpty()) {
            return;
        }
        float upstream = gradient.item();
        Tensor dx = gradients.make(logits.shape());
        boolean first = true;
        for (SegLossPass pass : passes.reversed()) { // the last one left its numbers in the memory
            pass.backward(upstream, dx, !first);
            first = false;
        }
        memory.free();
        gradients.give(logits, dx);
    }
}
