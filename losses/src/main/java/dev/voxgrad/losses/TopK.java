package dev.voxgrad.losses;

import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.op.VoxelLosses;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;

/**
 * The mean of the largest cross entropies of the voxels (Wu et al. 2016; nnU-Net's {@code TopKLoss}). With l as in {@link CrossEntropy}
 * and N the voxels of the batch that count:
 *
 * <pre>
 * n = max(1, floor(N share))
 * L = (1/n) sum of the n largest l
 * </pre>
 *
 * <p>Class weights multiply l, and the mean is over n, not over their sum. Per sample, N, n and the selection are those of each sample,
 * and L is the mean over the samples with voxels that count. L is 0 with gradient 0 when no voxel counts. A NaN is always selected.
 *
 * @param share of the voxels, above 0 and at most 1
 * @param weights one per class
 * @param labelSmoothing at least 0 and below 1
 * @param per where voxels are selected from
 * @param ties which of equal voxels are selected when there is not room for all
 * @param reference true: N counts ignored and masked voxels too, as nnU-Net does; they have l = 0
 */
public record TopK(
        double share, ClassWeights weights, double labelSmoothing, Per per, VoxelLosses.Ties ties, boolean reference)
        implements VoxelTerm {
    /** What a selection is made from. */
    public enum Per {
        BATCH,
        SAMPLE
    }

    /** Ten percent of the batch. */
    public static final TopK DEFAULT = new TopK(0.1, ClassWeights.NONE, 0, Per.BATCH, VoxelLosses.Ties.FIRST, false);

    /** Checks the ranges. */
    public TopK {
        if (!(share > 0 && share <= 1)) {
            throw new ConfigException("topk: the share " + TermText.number(share)
                    + " of the voxels is not above 0 and at most 1; ten percent are topk(0.1)");
        }
        if (!(labelSmoothing >= 0 && labelSmoothing < 1)) {
            throw new ConfigException("topk: smoothing " + labelSmoothing + " is not in [0, 1)");
        }
    }

    static TopK parse(Arguments arguments) {
        return new TopK(
                arguments.positional(0, "share", DEFAULT.share),
                arguments.weights("weights"),
                arguments.number("smoothing", DEFAULT.labelSmoothing),
                arguments.choice("per", DEFAULT.per),
                arguments.choice("ties", DEFAULT.ties),
                arguments.flag("reference", DEFAULT.reference));
    }

    @Override
    public void requireClasses(int classes) {
        weights.requireClasses("topk", classes);
    }

    @Override
    public double[] trueWeights(int classes) {
        return weights(classes, 1 - labelSmoothing);
    }

    @Override
    public double[] otherWeights(int classes) {
        return weights(classes, labelSmoothing / classes);
    }

    private double[] weights(int classes, double factor) {
        double[] scaled = new double[classes];
        for (int c = 0; c < classes; c++) {
            scaled[c] = factor * weights.of(c);
        }
        return scaled;
    }

    @Override
    public double evaluate(VoxelLosses losses, double weight) {
        List<Long> counts = LongStream.range(0, losses.samples())
                .map(sample -> reference ? losses.voxels() : losses.counted((int) sample))
                .boxed()
                .toList();
        if (per == Per.BATCH) {
            counts = List.of(counts.stream().mapToLong(c -> c).sum());
        }
        long rows = counts.stream().filter(count -> count > 0).count();
        List<Long> select = new ArrayList<>();
        List<Double> factor = new ArrayList<>();
        for (long count : counts) {
            long selected = selected(count);
            select.add(selected);
            factor.add(selected == 0 ? 0 : weight / selected / rows);
        }
        return losses.selectLargest(select, factor, ties);
    }

    /** How many of {@code count} voxels: as in nnU-Net, count * percent / 100 in double is what is rounded down. */
    long selected(long count) {
        double percent = BigDecimal.valueOf(share).movePointRight(2).doubleValue();
        return count == 0 ? 0 : Math.max(1, (long) (count * percent / 100));
    }

    @Override
    public String toString() {
        return new TermText("topk")
                .positional("share", share, DEFAULT.share)
                .argument("weights", weights)
                .argument("smoothing", labelSmoothing, DEFAULT.labelSmoothing)
                .argument("per", per, DEFAULT.per)
                .argument("ties", ties, DEFAULT.ties)
                .argument("reference", reference, DEFAULT.reference)
                .toString();
    }
}
