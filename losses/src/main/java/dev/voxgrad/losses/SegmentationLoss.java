package dev.voxgrad.losses;

import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.ShapeException;
import dev.voxgrad.engine.autograd.Tape;
import dev.voxgrad.engine.op.Dropout;
import dev.voxgrad.engine.op.Loss;
import dev.voxgrad.engine.op.Progress;
import dev.voxgrad.engine.op.Regions;
import dev.voxgrad.engine.op.SegLoss;
import dev.voxgrad.engine.op.SegLoss.Nonlinearity;
import dev.voxgrad.engine.tensor.Labels;
import dev.voxgrad.engine.tensor.Scope;
import dev.voxgrad.engine.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * A sum of terms as the objective of a network. {@code toString} is the text that a plan stores.
 *
 * <p>With softmax, labels are classes [N,D,H,W,1]. With sigmoid they are 0/1 targets [N,D,H,W,C], or class labels [N,D,H,W,1] from which
 * the targets follow by the regions and an ignore label says which voxels do not count.
 *
 * @param sum what is computed
 * @param classes channels of the logits: classes with background for softmax (at least 2), regions for sigmoid
 * @param ignoreLabel label of voxels that do not count, above all classes
 * @param regions the labels of each channel, for sigmoid
 */
public record SegmentationLoss(Sum sum, int classes, OptionalInt ignoreLabel, Regions regions) implements Loss {
    /** Labels are bytes. */
    private static final int LABEL_MAX = 255;

    /** Checks that sum, classes and ignore label fit each other. */
    public SegmentationLoss {
        boolean softmax = sum.nonlinearity() == Nonlinearity.SOFTMAX;
        if (classes < (softmax ? 2 : 1)) {
            throw new ConfigException(
                    "loss \"" + sum + "\" cannot be used with " + classes + (classes == 1 ? " class" : " classes")
                            + (softmax ? ", softmax needs the background and at least one more" : ""));
        }
        if (regions.labels().size() != classes) {
            throw new ConfigException("loss \"" + sum + "\" has " + classes + " channels, there are "
                    + regions.labels().size() + " regions");
        }
        int highest = softmax ? classes - 1 : regions.highestLabel();
        if (ignoreLabel.isPresent() && (ignoreLabel.getAsInt() <= highest || ignoreLabel.getAsInt() > LABEL_MAX)) {
            throw new ConfigException("the ignore label " + ignoreLabel.getAsInt() + " must lie above the labels (0 to "
                    + highest + ") and be at most " + LABEL_MAX);
        }
        sum.requireClasses(classes);
    }

    /** A loss whose channel k is label k + 1 if it is one for sigmoid. */
    public SegmentationLoss(Sum sum, int classes, OptionalInt ignoreLabel) {
        this(sum, classes, ignoreLabel, Regions.foreground(classes));
    }

    @Override
    public Tensor apply(Tape tape, Tensor logits, Labels labels) {
        return apply(tape, logits, labels, Optional.empty());
    }

    /**
     * The same with a mask.
     *
     * @param mask 0/1 bytes [N,D,H,W,1]; voxels where it is 0 do not count
     */
    public Tensor apply(Tape tape, Tensor logits, Labels labels, Optional<Labels> mask) {
        Inputs inputs = inputs(logits, labels, mask);
        List<SegLoss.Pass> passes = sum.passes();
        if (sum.tensors().isEmpty()) {
            return SegLoss.apply(tape, logits, inputs.labels, inputs.options, passes);
        }
        List<dev.voxgrad.engine.op.Sum.Term> values = new ArrayList<>();
        if (passes.isEmpty()) {
            checkLabels(logits, inputs);
        } else {
            values.add(new dev.voxgrad.engine.op.Sum.Term(
                    1, SegLoss.apply(tape, logits, inputs.labels, inputs.options, passes)));
        }
        values.addAll(tensors(tape, logits, inputs));
        return dev.voxgrad.engine.op.Sum.apply(tape, values);
    }

    /** A pass checks labels on its way; where no term needs one, it runs for this alone. */
    private static void checkLabels(Tensor logits, Inputs inputs) {
        SegLoss.value(logits, inputs.labels, inputs.options, List.of(SegLoss.Pass.of((sums, partials) -> 0)));
    }

    /** The values of the terms that are autograd ops, with their weights. */
    private List<dev.voxgrad.engine.op.Sum.Term> tensors(Tape tape, Tensor logits, Inputs given) {
        Inputs inputs = given.options.regions().isPresent() ? split(tape.scope(), given) : given;
        Optional<Labels> counted = counted(tape.scope(), inputs);
        Tensor known = counted.map(mask -> selected(tape, logits, mask)).orElse(logits);
        List<dev.voxgrad.engine.op.Sum.Term> values = new ArrayList<>();
        for (Sum.Part part : sum.tensors()) {
            Tensor value = ((TensorTerm) part.term()).apply(tape, known, inputs.labels, counted);
            values.add(new dev.voxgrad.engine.op.Sum.Term((float) part.weight(), value));
        }
        return values;
    }

    /**
     * The logits where a voxel counts, 0 elsewhere, so that a NaN there reaches neither value nor gradient. Dropout with given decisions
     * and nothing to scale is this selection, and so is its gradient.
     */
    private static Tensor selected(Tape tape, Tensor logits, Labels mask) {
        byte[] counts = mask.toArray();
        int channels = Math.toIntExact(logits.shape().c());
        byte[] keep = new byte[Math.multiplyExact(counts.length, channels)];
        for (int voxel = 0; voxel < counts.length; voxel++) {
            Arrays.fill(keep, voxel * channels, (voxel + 1) * channels, counts[voxel]);
        }
        Labels decisions = tape.scope().labels(logits.shape(), keep);
        return Dropout.withMask(tape, logits, 0, decisions);
    }

    /** The voxels that count, as a mask whatever says so: none when all do. */
    private static Optional<Labels> counted(Scope scope, Inputs inputs) {
        int ignored = inputs.options.ignoreLabel();
        if (ignored < 0) {
            return inputs.options.mask();
        }
        byte[] counts = inputs.labels.toArray();
        for (int i = 0; i < counts.length; i++) {
            counts[i] = (byte) (Byte.toUnsignedInt(counts[i]) == ignored ? 0 : 1);
        }
        Labels known = scope.labels(inputs.labels.shape(), counts);
        return Optional.of(
                inputs.options.mask().map(mask -> both(scope, known, mask)).orElse(known));
    }

    /** The value alone, in float64 where terms are no autograd ops. */
    public double value(Tensor logits, Labels labels, Optional<Labels> mask) {
        try (Scope scope = logits.device().scope()) {
            Inputs inputs = inputs(logits, labels, mask);
            List<SegLoss.Pass> passes = sum.passes();
            double value = SegLoss.value(logits, inputs.labels, inputs.options, passes);
            if (sum.tensors().isEmpty()) {
                return value;
            }
            if (passes.isEmpty()) {
                checkLabels(logits, inputs);
            }
            for (dev.voxgrad.engine.op.Sum.Term term : tensors(Tape.inference(scope), logits, inputs)) {
                value += term.weight() * (double) term.x().item();
            }
            return value;
        }
    }

    @Override
    public SegmentationLoss at(Progress progress) {
        Sum now = sum.at(progress);
        return now == sum ? this : new SegmentationLoss(now, classes, ignoreLabel, regions);
    }

    /** Labels as the passes take them. */
    private record Inputs(Labels labels, SegLoss.Options options) {}

    private Inputs inputs(Tensor logits, Labels labels, Optional<Labels> mask) {
        if (logits.shape().c() != classes) {
            throw new ShapeException("loss \"" + sum + "\" is for " + classes + " classes, the logits are "
                    + logits.shape() + "; check the labels of the plan");
        }
        if (sum.nonlinearity() == Nonlinearity.SOFTMAX) {
            return new Inputs(labels, new SegLoss.Options(Nonlinearity.SOFTMAX, ignoreLabel.orElse(-1), mask));
        }
        boolean classLabels = labels.shape().c() == 1
                && (classes > 1 || ignoreLabel.isPresent() || !regions.equals(Regions.foreground(1)));
        if (!classLabels) {
            return new Inputs(labels, new SegLoss.Options(Nonlinearity.SIGMOID, -1, mask));
        }
        return new Inputs(
                labels, new SegLoss.Options(Nonlinearity.SIGMOID, ignoreLabel.orElse(-1), mask, Optional.of(regions)));
    }

    /** Class labels as 0/1 targets, the ignore label as a mask. */
    private Inputs split(Scope scope, Inputs classes) {
        RegionTargets split = RegionTargets.of(regions, scope, classes.labels, ignoreLabel);
        Optional<Labels> mask = classes.options.mask();
        Optional<Labels> both = split.mask().isPresent() && mask.isPresent()
                ? Optional.of(both(scope, split.mask().get(), mask.get()))
                : split.mask().or(() -> mask);
        return new Inputs(split.targets(), new SegLoss.Options(Nonlinearity.SIGMOID, -1, both));
    }

    private static Labels both(Scope scope, Labels one, Labels other) {
        if (!one.shape().equals(other.shape())) {
            throw new ShapeException("loss: mask " + other.shape() + " for labels " + one.shape());
        }
        byte[] a = one.toArray();
        byte[] b = other.toArray();
        for (int i = 0; i < a.length; i++) {
            a[i] = (byte) (a[i] != 0 && b[i] != 0 ? 1 : 0);
        }
        return scope.labels(one.shape(), a);
    }

    @Override
    public String toString() {
        return sum.toString();
    }
}
