package dev.voxgrad.engine.op;

import dev.voxgrad.bindings.NativeContext;
import dev.voxgrad.bindings.ffi.VoxgradH;
import dev.voxgrad.bindings.ffi.vg_segloss;
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

/** Adjacent channels of a {@link SegLossPass} that one native call reads: all of them without components. */
final class SegLossSlice {
    private final Tensor logits;
    private final Labels labels;
    private final Options options;
    private final Pass pass;
    private final VoxelMemory memory;
    private final int first;
    private final int count;
    private final Optional<Labels> regions;
    private final Optional<Tensor> trueWeights;
    private final Optional<Tensor> otherWeights;
    private int segments = 1;

    /** Channels {@code first} to {@code end} - 1. */
    SegLossSlice(Tensor logits, Labels labels, Options options, Pass pass, VoxelMemory memory, int first, int end) {
        this.logits = logits.slice(first, end - first);
        this.labels = labels;
        this.options = options;
        this.pass = pass;
        this.memory = memory;
        this.first = first;
        this.count = end - first;
        this.regions = options.regions().map(r -> r.table(memory.scope(), first, end));
        this.trueWeights = pass.voxels().map(formula -> vector(memory.scope(), formula.trueWeights(count)));
        this.otherWeights = pass.voxels().map(formula -> vector(memory.scope(), formula.otherWeights(count)));
    }

    private static Tensor vector(Scope scope, double[] values) {
        float[] floats = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            floats[i] = (float) values[i];
        }
        return scope.tensor(Shape.vector(values.length), floats);
    }

    /** The first channel. */
    int first() {
        return first;
    }

    /** Number of channels. */
    int count() {
        return count;
    }

    /** Rows of the sums, known after {@link #read}. */
    int segments() {
        return segments;
    }

    /**
     * Pass 1.
     *
     * @param kinds bits of the sums that are wanted, 0 = all
     * @param numbers true: the numbers of the voxels go to the shared memory
     * @return [sample][segment][channel][kind]
     */
    double[] read(int kinds, boolean numbers) {
        NativeContext context = logits.device().context();
        MemorySegment ids = ids();
        int samples = Math.toIntExact(logits.shape().n());
        double[] values = new double
                [Math.multiplyExact(Math.multiplyExact(samples, segments), count * SegLoss.Kind.values().length)];
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(ValueLayout.JAVA_DOUBLE, values.length);
            MemorySegment bad = arena.allocate(ValueLayout.JAVA_LONG, 2);
            announce("segloss_forward", Work.bytes(logits));
            context.check(VoxgradH.vg_segloss_forward(
                    context.handle(),
                    problem(arena, count, kinds, false),
                    logits.data(),
                    labelData(),
                    data(regions),
                    data(options.mask()),
                    ids,
                    trueWeights.map(Tensor::data).orElse(MemorySegment.NULL),
                    otherWeights.map(Tensor::data).orElse(MemorySegment.NULL),
                    out,
                    numbers ? memory.take(this).data() : MemorySegment.NULL,
                    bad));
            requireNoneBad(bad.getAtIndex(ValueLayout.JAVA_LONG, 0), (int) bad.getAtIndex(ValueLayout.JAVA_LONG, 1));
            MemorySegment.copy(out, ValueLayout.JAVA_DOUBLE, 0, values, 0, values.length);
        }
        return values;
    }

    /** Softmax or sigmoid (5 operations), then a product and a sum for about three sums or derivatives. */
    private void announce(String kernel, long bytes) {
        long read = bytes + labels.shape().elements();
        logits.device().announce(Work.of(kernel, 11 * logits.shape().elements(), logits, logits, read));
    }

    private void requireNoneBad(long number, int value) {
        if (number == 0) {
            return;
        }
        String legal;
        if (options.targets()) {
            throw SegLoss.wrongLabels(number, value, "neither 0 nor 1");
        } else if (options.regions().isPresent()) {
            int highest = options.regions().get().highestLabel();
            legal = (options.ignoreLabel() < 0 ? "one of " : "") + "0 to " + highest;
        } else {
            legal = "a class (0 to " + (count - 1) + ")";
        }
        throw SegLoss.wrongLabels(
                number,
                value,
                options.ignoreLabel() < 0
                        ? "not " + legal
                        : "neither " + legal + " nor the ignore label " + options.ignoreLabel());
    }

    /** Pass 2: the channels of dx become upstream * d value / d logits, or it is added to them. */
    void backward(float upstream, Sums partials, Tensor dx, boolean accumulate) {
        NativeContext context = logits.device().context();
        MemorySegment ids = ids();
        double[] values = partials.take(first, count, segments);
        try (Arena arena = Arena.ofConfined()) {
            announce("segloss_backward", Work.bytes(logits, dx.slice(first, count)));
            context.check(VoxgradH.vg_segloss_backward(
                    context.handle(),
                    problem(arena, dx.stride(), 0, accumulate),
                    logits.data(),
                    labelData(),
                    data(regions),
                    data(options.mask()),
                    ids,
                    trueWeights.map(Tensor::data).orElse(MemorySegment.NULL),
                    otherWeights.map(Tensor::data).orElse(MemorySegment.NULL),
                    arena.allocateFrom(ValueLayout.JAVA_DOUBLE, values),
                    pass.voxels().isPresent() ? memory.held().data() : MemorySegment.NULL,
                    upstream,
                    dx.slice(first, count).data()));
        }
    }

    /** The component of each voxel, found unless the shared memory has it; NULL where components do not matter. */
    private MemorySegment ids() {
        if (pass.connectivity().isEmpty()) {
            return MemorySegment.NULL;
        }
        if (!memory.holds(this)) {
            Tensor ids = memory.take(this);
            long most = 0;
            for (int channel = first; channel < first + count; channel++) {
                int c = channel;
                most = Math.max(
                        most,
                        Components.label(
                                        ids,
                                        labels,
                                        options.targets() ? c : 0,
                                        options.regions().map(r -> r.labels().get(c)),
                                        options.mask(),
                                        pass.connectivity().getAsInt(),
                                        c > first)
                                .stream()
                                .mapToLong(n -> n)
                                .max()
                                .orElseThrow());
            }
            segments = Math.toIntExact(most + 1);
        }
        return memory.held().data();
    }

    private static MemorySegment data(Optional<Labels> some) {
        return some.map(Labels::data).orElse(MemorySegment.NULL);
    }

    private MemorySegment labelData() {
        return options.targets() ? labels.data().asSlice(first) : labels.data();
    }

    private MemorySegment problem(Arena arena, long dxStride, int kinds, boolean accumulate) {
        MemorySegment p = vg_segloss.allocate(arena);
        vg_segloss.size(p, vg_segloss.sizeof());
        vg_segloss.n(p, logits.shape().n());
        vg_segloss.voxels(p, logits.shape().voxels());
        vg_segloss.c(p, count);
        vg_segloss.x_stride(p, logits.stride());
        vg_segloss.dx_stride(p, dxStride);
        vg_segloss.target_stride(p, labels.shape().c());
        vg_segloss.segments(p, segments);
        vg_segloss.sigmoid(p, options.nonlinearity() == Nonlinearity.SIGMOID ? 1 : 0);
        vg_segloss.ignore_label(p, options.targets() ? -1 : options.ignoreLabel());
        vg_segloss.region_labels(
                p, options.regions().map(r -> r.highestLabel() + 1).orElse(0));
        vg_segloss.kinds(p, kinds);
        vg_segloss.accumulate(p, accumulate ? 1 : 0);
        vg_segloss.reserved(p, 0);
        return p;
    }
}
