package dev.voxgrad.engine.plan;

import dev.voxgrad.engine.nn.NetworkSpec;
import dev.voxgrad.engine.nn.Networks;
import dev.voxgrad.engine.op.Triple;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/**
 * Proposes a plan from the fingerprint of a data set with the rules of nnU-Net's default planner: median spacing, the largest patch
 * that a memory budget allows, a plain U-Net whose stages follow from both. Data of single slices get a 2D network. Axes keep the order
 * of the files, and channels named {@code CT} are z-scored per case.
 */
public final class Planner {
    /** Voxels times features that nnU-Net allows 8 GB of GPU memory, for a batch of two patches and twelve slices. */
    private static final double REFERENCE_3D = 560e6;

    private static final double REFERENCE_2D = 85e6;
    private static final int REFERENCE_BATCH_3D = 2;
    private static final int REFERENCE_BATCH_2D = 12;
    private static final double REFERENCE_GIGABYTES = 8;

    /** What nnU-Net trains regions with. */
    private static final String REGION_LOSS = "dice + bce";

    /** The same where voxels are ignored: then nnU-Net divides by the voxels that count, not by voxels times regions. */
    private static final String REGION_LOSS_WITH_IGNORE = "dice + bce(reduction=voxel)";

    /** A batch may hold this share of all voxels of the data set. */
    private static final double LARGEST_COVER = 0.05;

    private static final double ANISOTROPY = 3;
    private static final double CROPPED_MUCH = 0.75;

    private final double budget;
    private final int referenceBatch;
    private final int first; // 0 in 3D, 1 in 2D: the first axis of the network
    private final double[] spacing;
    private final double[] median;

    private Planner(Fingerprint fingerprint, double memoryGigabytes) {
        double[] target = targetSpacing(fingerprint);
        double[] size = medianSize(fingerprint, target);
        this.first = size[0] == 1 ? 1 : 0;
        this.spacing = IntStream.range(first, 3).mapToDouble(a -> target[a]).toArray();
        this.median = IntStream.range(first, 3).mapToDouble(a -> size[a]).toArray();
        this.budget = (first == 0 ? REFERENCE_3D : REFERENCE_2D) * memoryGigabytes / REFERENCE_GIGABYTES;
        this.referenceBatch = first == 0 ? REFERENCE_BATCH_3D : REFERENCE_BATCH_2D;
    }

    /**
     * Proposes a plan.
     *
     * @param name of the task
     * @param memoryGigabytes memory for training; nnU-Net's default is 8
     */
    public static Plan propose(
            String name,
            DatasetDescription description,
            Fingerprint fingerprint,
            Training training,
            double memoryGigabytes) {
        return new Planner(fingerprint, memoryGigabytes).plan(name, description, fingerprint, training);
    }

    private Plan plan(String name, DatasetDescription description, Fingerprint fingerprint, Training training) {
        LabelNames names = description.labels();
        int labels = names.entries();
        Outputs outputs = names.hasRegions() ? Outputs.SIGMOID : Outputs.SOFTMAX;
        Topology t = shrink(labels);
        List<Integer> patch = new ArrayList<>(first == 0 ? List.of() : List.of(1));
        List<Double> spacingMm = new ArrayList<>(
                first == 0
                        ? List.of()
                        : List.of(fingerprint.median(e -> e.spacingMm().get(0))));
        for (int a = 0; a < median.length; a++) {
            patch.add(t.patch()[a]);
            spacingMm.add(spacing[a]);
        }
        NetworkSpec network = Networks.plainUNet(
                description.channelNames().size(),
                outputs.channels(names),
                t.features(),
                t.kernels(),
                t.strides(),
                training.deepSupervision());
        return new Plan(
                Plan.FORMAT_VERSION,
                name,
                description.channelNames(),
                normalization(description.channelNames(), fingerprint),
                names.byName(),
                spacingMm,
                patch,
                batch(t, labels, fingerprint.cases().size()),
                network,
                training.with(d -> {
                    d.mirrorAxes = training.mirrorAxes().stream()
                            .filter(a -> a >= first)
                            .toList();
                    d.loss = names.hasRegions() ? regionLoss(names) : d.loss;
                }),
                outputs,
                names.regions());
    }

    private static String regionLoss(LabelNames names) {
        return names.ignore().isPresent() ? REGION_LOSS_WITH_IGNORE : REGION_LOSS;
    }

    private static List<String> normalization(List<String> channels, Fingerprint fingerprint) {
        boolean cropped = fingerprint.median(Fingerprint.Entry::relativeSize) < CROPPED_MUCH;
        return channels.stream()
                .map(c -> c.toLowerCase(Locale.ROOT).equals("nonorm")
                        ? Normalization.NONE
                        : cropped ? Normalization.ZSCORE_NONZERO : Normalization.ZSCORE)
                .map(Normalization::text)
                .toList();
    }

    /** Median spacing; a much coarser axis takes the 10th percentile, so that fine cases are not blurred along it. */
    private static double[] targetSpacing(Fingerprint f) {
        double[] t = IntStream.range(0, 3)
                .mapToDouble(a -> f.median(e -> e.spacingMm().get(a)))
                .toArray();
        double[] size = IntStream.range(0, 3)
                .mapToDouble(a -> f.median(e -> Fingerprint.edge(e.sizeAfterCrop(), a)))
                .toArray();
        int w = t[0] >= t[1] && t[0] >= t[2] ? 0 : t[1] >= t[2] ? 1 : 2;
        double others = Math.max(t[(w + 1) % 3], t[(w + 2) % 3]);
        if (t[w] > ANISOTROPY * others && ANISOTROPY * size[w] < Math.min(size[(w + 1) % 3], size[(w + 2) % 3])) {
            double fine = f.percentile(10, e -> e.spacingMm().get(w));
            t[w] = fine < others ? others + 1e-5 : fine;
        }
        return t;
    }

    private static double[] medianSize(Fingerprint f, double[] target) {
        List<Double> targetMm = List.of(target[0], target[1], target[2]);
        return IntStream.range(0, 3)
                .mapToDouble(a -> f.median(e -> Fingerprint.edge(sizeAt(e, targetMm), a)))
                .toArray();
    }

    private static Triple sizeAt(Fingerprint.Entry e, List<Double> targetMm) {
        return Resampler.targetSize(e.sizeAfterCrop(), e.spacingMm(), targetMm);
    }

    /** The largest patch within the budget: starts isotropic in mm, then gives way on the axis that covers most of the image. */
    private Topology shrink(int labels) {
        Topology t = atLeastTwoStages(initialPatch());
        while (t.estimate(labels) / (double) referenceBatch * 2 > budget) {
            int axis = 0;
            for (int a = 1; a < median.length; a++) {
                axis = t.patch()[a] / median[a] >= t.patch()[axis] / median[axis] ? a : axis;
            }
            double[] trial = toDouble(t.patch());
            trial[axis] -= t.divisor()[axis];
            if (trial[axis] < 1) {
                break;
            }
            int divisor = Topology.of(spacing, trial).divisor()[axis];
            double[] next = toDouble(t.patch());
            next[axis] -= divisor;
            Topology smaller = Topology.of(spacing, next);
            if (smaller.strides().size() < 2) {
                break;
            }
            t = smaller;
        }
        return t;
    }

    private double[] initialPatch() {
        int axes = median.length;
        double volume = 1;
        for (double s : spacing) {
            volume /= s;
        }
        double voxels = axes == 3 ? 256.0 * 256 * 256 : 2048.0 * 2048;
        double scale = Math.pow(voxels / volume, 1.0 / axes);
        return IntStream.range(0, axes)
                .mapToDouble(a -> Math.min(Math.rint(scale / spacing[a]), median[a]))
                .toArray();
    }

    /** Volumes too small to be pooled are padded: a U-Net needs two stages. */
    private Topology atLeastTwoStages(double[] patch) {
        Topology t = Topology.of(spacing, patch);
        for (double edge = 8; t.strides().size() < 2; edge += 4) {
            double least = edge;
            t = Topology.of(
                    spacing,
                    IntStream.range(0, patch.length)
                            .mapToDouble(a -> Math.max(patch[a], least))
                            .toArray());
        }
        return t;
    }

    private int batch(Topology t, int labels, int cases) {
        double fits = Math.rint(budget / t.estimate(labels) * referenceBatch);
        double voxels = cases;
        for (double edge : median) {
            voxels *= edge;
        }
        double cap = Math.rint(voxels * LARGEST_COVER / t.patchVoxels());
        return (int) Math.max(2, Math.min(fits, cap));
    }

    private static double[] toDouble(int[] values) {
        return IntStream.of(values).asDoubleStream().toArray();
    }
}
