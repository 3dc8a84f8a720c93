package dev.voxgrad.engine.op;

import dev.voxgrad.bindings.NativeContext;
import dev.voxgrad.bindings.ffi.VoxgradH;
import dev.voxgrad.bindings.ffi.vg_segloss;
import dev.voxgrad.engine.ShapeException;
import dev.voxgrad.engine.op.SegLoss.Kind;
import dev.voxgrad.engine.op.SegLoss.Nonlinearity;
import dev.voxgrad.engine.op.SegLoss.Options;
import dev.voxgrad.engine.op.SegLoss.Pass;
import dev.voxgrad.engine.op.SegLoss.Sums;
import dev.voxgrad.engine.tensor.Labels;
import dev.voxgrad.engine.tensor.Scope;
import dev.voxgrad.engine.tensor.Shape;
import dev.voxgrad.engine.tensor.Tensor;
import dev.voxgrad.engine.tensor.Work;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Optional;

/**
 * One {@link Pass} on one batch: what pass 1 leaves for pass 2. Beside tables of the size of the sums this is one float per voxel for a
 * formula of the voxels, and one int per voxel and channel for components.
 */
final class SegLossPass {
    private final Tensor logits;
    private final Labels labels;
    private final Options options;
    private final Pass pass;
    private final Scope scope;
    private final int samples;
    private final int classes;
    private final Optional<Components> segments;
    private final Optional<Voxels> voxels;
    private final Sums partials;

    /** The numbers of the voxels, later the derivatives by them, with their weights by class. */
    private record Voxels(Tensor losses, Tensor trueWeights, Tensor otherWeights) {}

    SegLossPass(Tensor logits, Labels labels, Options options, Pass pass, Scope scope) {
        Shape s = logits.shape();
        boolean sigmoid = options.nonlinearity() == Nonlinearity.SIGMOID;
        Shape wanted = sigmoid ? s : s.withChannels(1);
        if (!labels.shape().equals(wanted)) {
            throw new ShapeException("loss: labels " + labels.shape() + " for logits " + s + ", expected " + wanted);
        }
        if (options.mask().isPresent() && !options.mask().get().shape().equals(s.withChannels(1))) {
            throw new ShapeException("loss: mask " + options.mask().get().shape() + " for logits " + s);
        }
        if (sigmoid ? pass.voxels().isPresent() : pass.connectivity().isPresent()) {
            throw new IllegalArgumentException(
                    sigmoid ? "losses of voxels need softmax" : "components as segments need sigmoid");
        }
        this.logits = logits;
        this.labels = labels;
        this.options = options;
        this.pass = pass;
        this.scope = scope;
        this.samples = Math.toIntExact(s.n());
        this.classes = Math.toIntExact(s.c());
        this.segments = pass.connectivity().isPresent()
                ? Optional.of(Components.label(
                        scope, labels, options.mask(), pass.connectivity().getAsInt()))
                : Optional.empty();
        this.voxels = pass.voxels()
                .map(formula -> new Voxels(
                        scope.tensor(s.withChannels(1)),
                        vector(formula.trueWeights(classes)),
                        vector(formula.otherWeights(classes))));
        this.partials = new Sums(samples, segmentCount(), classes);
    }

    /** Pass 1 and the formulas. */
    double forward() {
        int probed = Math.min(2, segmentCount()); // background and one component show what a formula reads
        int kinds = Sums.bit(Kind.VOXELS);
        for (Kind kind : Sums.readBy(pass.formula(), samples, probed, classes)) {
            kinds |= Sums.bit(kind);
        }
        Sums sums = new Sums(samples, segmentCount(), classes, kinds, all -> read(all, 0, MemorySegment.NULL));
        read(sums, kinds, voxels.map(v -> v.losses.data()).orElse(MemorySegment.NULL));
        double value = pass.formula().evaluate(sums, partials);
        if (voxels.isPresent()) {
            long[] counted = new long[samples];
            for (int sample = 0; sample < samples; sample++) {
                counted[sample] = (long) sums.get(sample, 0, Kind.VOXELS);
            }
            value += pass.voxels().get().evaluate(new VoxelLosses(voxels.get().losses, counted));
        }
        return value;
    }

    private void read(Sums sums, int kinds, MemorySegment voxelLosses) {
        NativeContext context = logits.device().context();
        try (Arena arena = Arena.ofConfined()) {
            double[] values = sums.values();
            MemorySegment out = arena.allocate(ValueLayout.JAVA_DOUBLE, values.length);
            MemorySegment bad = arena.allocate(ValueLayout.JAVA_LONG, 2);
            announce("segloss_forward", Work.bytes(logits));
            context.check(VoxgradH.vg_segloss_forward(
                    context.handle(),
                    problem(arena, logits.shape().c(), kinds),
                    logits.data(),
                    labels.data(),
                    mask(),
                    segmentIds(),
                    voxels.map(v -> v.trueWeights.data()).orElse(MemorySegment.NULL),
                    voxels.map(v -> v.otherWeights.data()).orElse(MemorySegment.NULL),
                    out,
                    voxelLosses,
                    bad));
            requireNoneBad(bad.getAtIndex(ValueLayout.JAVA_LONG, 0), (int) bad.getAtIndex(ValueLayout.JAVA_LONG, 1));
            MemorySegment.copy(out, ValueLayout.JAVA_DOUBLE, 0, values, 0, values.length);
        }
    }

    /** Softmax or sigmoid (5 operations), then a product and a sum for about three sums or derivatives. */
    private void announce(String kernel, long bytes) {
        long read = bytes + labels.shape().elements();
        logits.device().announce(Work.of(kernel, 11 * logits.shape().elements(), logits, logits, read));
    }

    private void requireNoneBad(long count, int first) {
        if (count > 0) {
            String classRange = "a class (0 to " + (classes - 1) + ")";
            throw SegLoss.wrongLabels(
                    count,
                    first,
                    options.nonlinearity() == Nonlinearity.SIGMOID
                            ? "neither 0 nor 1"
                            : options.ignoreLabel() < 0
                                    ? "not " + classRange
                                    : "neither " + classRange + " nor the ignore label " + options.ignoreLabel());
        }
    }

    /** Pass 2: dx = upstream * d value / d logits. */
    void backward(float upstream, Tensor dx) {
        NativeContext context = logits.device().context();
        try (Arena arena = Arena.ofConfined()) {
            double[] values = partials.values();
            MemorySegment table = arena.allocate(ValueLayout.JAVA_DOUBLE, values.length);
            MemorySegment.copy(values, 0, table, ValueLayout.JAVA_DOUBLE, 0, values.length);
            announce("segloss_backward", Work.bytes(logits, dx));
            context.check(VoxgradH.vg_segloss_backward(
                    context.handle(),
                    problem(arena, dx.stride(), 0),
                    logits.data(),
                    labels.data(),
                    mask(),
                    segmentIds(),
                    voxels.map(v -> v.trueWeights.data()).orElse(MemorySegment.NULL),
                    voxels.map(v -> v.otherWeights.data()).orElse(MemorySegment.NULL),
                    table,
                    voxels.map(v -> v.losses.data()).orElse(MemorySegment.NULL),
                    upstream,
                    dx.data()));
        }
    }

    /** Gives the memory per voxel back before the scope closes. */
    void free() {
        segments.ifPresent(s -> scope.free(s.ids()));
        voxels.ifPresent(v -> scope.free(v.losses));
    }

    private int segmentCount() {
        return segments.map(s -> Math.toIntExact(s.largestCount() + 1)).orElse(1);
    }

    private Tensor vector(double[] values) {
        float[] floats = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            floats[i] = (float) values[i];
        }
        return scope.tensor(Shape.vector(values.length), floats);
    }

    private MemorySegment mask() {
        return options.mask().map(Labels::data).orElse(MemorySegment.NULL);
    }

    private MemorySegment segmentIds() {
        return segments.map(s -> s.ids().data()).orElse(MemorySegment.NULL);
    }

    private MemorySegment problem(Arena arena, long dxStride, int kinds) {
        MemorySegment p = vg_segloss.allocate(arena);
        vg_segloss.size(p, vg_segloss.sizeof());
        vg_segloss.n(p, samples);
        vg_segloss.voxels(p, logits.shape().voxels());
        vg_segloss.c(p, classes);
        vg_segloss.x_stride(p, logits.stride());
        vg_segloss.dx_stride(p, dxStride);
        vg_segloss.segments(p, segmentCount());
        vg_segloss.sigmoid(p, options.nonlinearity() == Nonlinearity.SIGMOID ? 1 : 0);
        vg_segloss.ignore_label(p, options.ignoreLabel());
        vg_segloss.channel_segments(p, segments.isPresent() ? 1 : 0);
        vg_segloss.kinds(p, kinds);
        return p;
    }
}
