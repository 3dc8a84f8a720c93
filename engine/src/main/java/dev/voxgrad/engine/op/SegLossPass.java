package dev.voxgrad.engine.op;

import dev.voxgrad.engine.ShapeException;
import dev.voxgrad.engine.op.SegLoss.Kind;
import dev.voxgrad.engine.op.SegLoss.Nonlinearity;
import dev.voxgrad.engine.op.SegLoss.Options;
import dev.voxgrad.engine.op.SegLoss.Pass;
import dev.voxgrad.engine.op.SegLoss.Sums;
import dev.voxgrad.engine.tensor.Labels;
import dev.voxgrad.engine.tensor.Shape;
import dev.voxgrad.engine.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * One {@link Pass} on one batch: what pass 1 leaves for pass 2. Beside tables of the size of the sums this is what the shared
 * {@link VoxelMemory} holds.
 *
 * <p>Components of channels that share no voxel fit into one map of ids. Where channels may overlap each group of them is read by
 * itself, and its components are found again for pass 2.
 */
final class SegLossPass {
    private final Pass pass;
    private final VoxelMemory memory;
    private final int samples;
    private final int classes;
    private final List<SegLossSlice> slices;
    private Sums partials;
    private long[] counted;

    SegLossPass(Tensor logits, Labels labels, Options options, Pass pass, VoxelMemory memory) {
        Shape s = logits.shape();
        Shape wanted = options.targets() ? s : s.withChannels(1);
        if (!labels.shape().equals(wanted)) {
            throw new ShapeException("loss: labels " + labels.shape() + " for logits " + s + ", expected " + wanted);
        }
        if (options.mask().isPresent() && !options.mask().get().shape().equals(s.withChannels(1))) {
            throw new ShapeException("loss: mask " + options.mask().get().shape() + " for logits " + s);
        }
        boolean sigmoid = options.nonlinearity() == Nonlinearity.SIGMOID;
        if (sigmoid ? pass.voxels().isPresent() : pass.connectivity().isPresent()) {
            throw new IllegalArgumentException(
                    sigmoid ? "losses of voxels need softmax" : "components as segments need sigmoid");
        }
        this.pass = pass;
        this.memory = memory;
        this.samples = Math.toIntExact(s.n());
        this.classes = Math.toIntExact(s.c());
        this.slices = new ArrayList<>();
        for (int first = 0, end; first < classes; first = end) {
            end = pass.connectivity().isEmpty()
                    ? classes
                    : options.regions().isPresent() ? options.regions().get().endOfDisjoint(first) : first + 1;
            slices.add(new SegLossSlice(logits, labels, options, pass, memory, first, end));
        }
    }

    /** Pass 1 and the formulas. */
    double forward() {
        int probed = pass.connectivity().isPresent() ? 2 : 1; // background and one component show what a formula reads
        int kinds = Sums.bit(Kind.VOXELS);
        for (Kind kind : Sums.readBy(pass.formula(), samples, probed, classes)) {
            kinds |= Sums.bit(kind);
        }
        int first = kinds;
        List<double[]> tables = slices.stream()
                .map(slice -> slice.read(first, pass.voxels().isPresent()))
                .toList();
        int segments = slices.stream().mapToInt(SegLossSlice::segments).max().orElseThrow();
        Sums sums = new Sums(samples, segments, classes, kinds, all -> {
            for (SegLossSlice slice : slices) {
                all.put(slice.first(), slice.count(), slice.read(0, false));
            }
        });
        for (int i = 0; i < slices.size(); i++) {
            sums.put(slices.get(i).first(), slices.get(i).count(), tables.get(i));
        }
        partials = new Sums(samples, segments, classes);
        double value = pass.formula().evaluate(sums, partials);
        if (pass.voxels().isEmpty()) {
            return value;
        }
        counted = new long[samples];
        for (int sample = 0; sample < samples; sample++) {
            counted[sample] = (long) sums.get(sample, 0, Kind.VOXELS);
        }
        return value + voxels();
    }

    /** The formula of the voxels; its derivatives take the place of their numbers. */
    private double voxels() {
        return pass.voxels().orElseThrow().evaluate(new VoxelLosses(memory.held(), counted));
    }

    /** Pass 2: dx = upstream * d value / d logits, or is added to it. */
    void backward(float upstream, Tensor dx, boolean accumulate) {
        for (SegLossSlice slice : slices.reversed()) {
            if (pass.voxels().isPresent() && !memory.holds(slice)) {
                slice.read(Sums.bit(Kind.VOXELS), true);
                voxels();
            }
            slice.backward(upstream, partials, dx, accumulate);
        }
    }
}
