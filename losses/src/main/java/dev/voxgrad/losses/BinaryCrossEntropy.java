package dev.voxgrad.losses;

import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.op.SegLoss.Kind;
import dev.voxgrad.engine.op.SegLoss.Nonlinearity;
import dev.voxgrad.engine.op.SegLoss.Sums;
import java.util.List;

/**
 * Binary cross entropy of independent channels as PyTorch's {@code binary_cross_entropy_with_logits}, with q the positive weight of the
 * channel:
 *
 * <pre>
 * l(voxel, channel) = -q y log p - (1 - y) log(1 - p)
 * mean  = sum l / (voxels that count * channels)
 * voxel = sum l / max(voxels that count, 1e-8)       nnU-Net's rule for regions under a mask
 * </pre>
 *
 * <p>{@code voxel} divides by each voxel once, not once per channel, so it is larger than {@code mean} by the number of channels. All
 * of them are 0 with gradient 0 when no voxel counts.
 *
 * @param positiveWeights q, one per channel, at least 0; empty = all 1
 * @param reduction what the sum is divided by
 */
public record BinaryCrossEntropy(List<Double> positiveWeights, Reduction reduction) implements RegionTerm {
    /** What the sum over voxels and channels is divided by. */
    public enum Reduction {
        /** Voxels times channels. */
        MEAN,
        /** 1. */
        SUM,
        /** Voxels. */
        VOXEL
    }

    /** Of nnU-Net: keeps the quotient finite when no voxel counts. */
    private static final double DIVISOR_FLOOR = 1e-8;

    /** The plain mean. */
    public static final BinaryCrossEntropy DEFAULT = new BinaryCrossEntropy(List.of(), Reduction.MEAN);

    /** Checks the weights. */
    public BinaryCrossEntropy {
        positiveWeights = List.copyOf(positiveWeights);
        if (!positiveWeights.stream().allMatch(w -> w >= 0 && w < Double.POSITIVE_INFINITY)) {
            throw new ConfigException("bce: pos_weight " + positiveWeights + " must be numbers of at least 0");
        }
    }

    static BinaryCrossEntropy parse(Arguments arguments) {
        return new BinaryCrossEntropy(
                arguments.numbers("pos_weight"), arguments.choice("reduction", DEFAULT.reduction));
    }

    @Override
    public Nonlinearity nonlinearity() {
        return Nonlinearity.SIGMOID;
    }

    @Override
    public void requireClasses(int classes) {
        if (!positiveWeights.isEmpty() && positiveWeights.size() != classes) {
            throw new ConfigException("bce: " + positiveWeights.size() + " positive weights for " + classes
                    + " channels; give one per channel");
        }
    }

    @Override
    public RegionTerm ofChannel(int channel) {
        return positiveWeights.isEmpty()
                ? this
                : new BinaryCrossEntropy(List.of(positiveWeights.get(channel)), reduction);
    }

    @Override
    public double evaluate(Sums sums, double weight, Sums partials) {
        Row batch = new Row(0, sums.samples());
        double divisor = divisor(batch.get(sums, 0, Kind.VOXELS), sums.classes());
        if (divisor == 0) {
            return 0;
        }
        double factor = weight / divisor;
        double value = 0;
        for (int c = 0; c < sums.classes(); c++) {
            double positive = factor * (positiveWeights.isEmpty() ? 1 : positiveWeights.get(c));
            value += positive * batch.get(sums, c, Kind.NLL_TRUE) + factor * batch.get(sums, c, Kind.NLL_OTHER);
            batch.add(partials, c, Kind.NLL_TRUE, positive);
            batch.add(partials, c, Kind.NLL_OTHER, factor);
        }
        return value;
    }

    private double divisor(double voxels, int channels) {
        return switch (reduction) {
            case MEAN -> voxels * channels;
            case SUM -> 1;
            case VOXEL -> Math.max(voxels, DIVISOR_FLOOR);
        };
    }

    @Override
    public String toString() {
        return new TermText("bce")
                .argument("pos_weight", positiveWeights)
                .argument("reduction", reduction, DEFAULT.reduction)
                .toString();
    }
}
