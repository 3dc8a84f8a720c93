package dev.voxgrad.bench.torch;

import dev.voxgrad.bench.LossProblem;
import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.tensor.Shape;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.BiFunction;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Losses as they are usually composed of PyTorch's ops: each term starts from the logits again, and Dice makes its one-hot labels
 * in every call. {@code dice} is nnU-Net's, {@code monai_dice} and {@code gdl} are MONAI's, {@code wdice} and {@code tversky} are over
 * the batch. A term may have a factor, as in {@code 0.5*ce + 0.5*dice}.
 */
final class EagerLoss {
    private static final double SMOOTH = 1e-5;
    private static final double TVERSKY_BETA = 0.7; // of false negatives
    private static final double FOCAL_GAMMA = 2;
    private static final long NONE = 0; // PyTorch's reductions
    private static final long MEAN = 1;
    private static final long NOTHING_IGNORED = -100; // PyTorch's default

    private static final Map<String, BiFunction<EagerLoss, Tensor, Tensor>> TERMS = Map.ofEntries(
            Map.entry("ce", (loss, z) -> loss.crossEntropy(z, MEAN)),
            Map.entry("dice", (loss, z) -> loss.dice(z, false)),
            Map.entry("dice_batch", (loss, z) -> loss.dice(z, true)),
            Map.entry("monai_dice", EagerLoss::monaiDice),
            Map.entry("monai_jaccard", EagerLoss::monaiJaccard),
            Map.entry("gdl", EagerLoss::generalizedDice),
            Map.entry("wdice", EagerLoss::weightedDice),
            Map.entry("bce", (loss, z) -> torch.binary_cross_entropy_with_logits(z, loss.labels)),
            Map.entry("topk", EagerLoss::topK),
            Map.entry("topk_per_sample", EagerLoss::topKPerSample),
            Map.entry("focal", EagerLoss::focal),
            Map.entry("tversky", EagerLoss::tversky),
            Map.entry("blob", (loss, z) -> loss.blobs.orElseThrow().value(z)));

    /** Sums over the grid, or over batch and grid, for each channel. */
    private record Sums(Tensor intersection, Tensor probability, Tensor count) {}

    private record Term(double factor, BiFunction<EagerLoss, Tensor, Tensor> function) {
        /** Reads {@code name} or {@code factor*name}. */
        static Term of(String text) {
            String[] parts = text.split("\\*");
            String name = parts[parts.length - 1].strip();
            if (parts.length > 2 || !TERMS.containsKey(name)) {
                throw new ConfigException(
                        "there is no eager composition \"" + text + "\"; use " + new TreeSet<>(TERMS.keySet()));
            }
            return new Term(parts.length == 1 ? 1 : Double.parseDouble(parts[0]), TERMS.get(name));
        }

        Tensor value(EagerLoss loss, Tensor z) {
            Tensor value = function.apply(loss, z);
            return factor == 1 ? value : value.mul(scalar(factor));
        }
    }

    private final LossProblem problem;
    private final List<Term> terms;
    private final Tensor labels; // (N, grid) int64 classes, or (N, C, grid) float 0 and 1
    private final TensorOptional classWeights;
    private final Optional<EagerBlobLoss> blobs;

    private EagerLoss(Kept kept, LossProblem problem, int output) {
        this.problem = problem;
        terms = Arrays.stream(problem.eager().split("\\+"))
                .map(text -> Term.of(text.strip()))
                .toList();
        Shape shape = problem.logits(output);
        boolean classes = problem.target() == LossProblem.Target.CLASSES;
        byte[] values = problem.labels(output);
        float[] floats = new float[values.length];
        for (int i = 0; i < floats.length; i++) {
            floats[i] = Byte.toUnsignedInt(values[i]);
        }
        Tensor y =
                Layout.CONTIGUOUS.tensor(floats, classes ? shape.withChannels(1) : shape, Layout.dim(problem.logits()));
        labels = kept.keep(classes ? y.squeeze(1).to(ScalarType.Long) : y);
        double[] weights = problem.numbers("weights");
        float[] narrow = new float[weights.length];
        for (int c = 0; c < weights.length; c++) {
            narrow[c] = (float) weights[c];
        }
        classWeights = kept.keep(narrow.length == 0 ? new TensorOptional() : new TensorOptional(Tensor.create(narrow)));
        blobs = problem.target() == LossProblem.Target.BLOBS
                ? Optional.of(new EagerBlobLoss(kept, problem))
                : Optional.empty();
    }

    /** The composition for one resolution; its native objects live as long as {@code kept}. */
    static EagerLoss of(Kept kept, LossProblem problem, int output) {
        return new EagerLoss(kept, problem, output);
    }

    Tensor value(Tensor z) {
        Tensor sum = terms.getFirst().value(this, z);
        for (int i = 1; i < terms.size(); i++) {
            sum = sum.add(terms.get(i).value(this, z));
        }
        return sum;
    }

    private Tensor crossEntropy(Tensor z, long reduction) {
        return torch.cross_entropy_loss(
                z,
                labels,
                classWeights,
                reduction,
                problem.ignore().isPresent() ? problem.ignore().getAsInt() : NOTHING_IGNORED,
                problem.number("smoothing", 0));
    }

    /** Cross entropy of the worst share of all voxels. */
    private Tensor topK(Tensor z) {
        Tensor each = crossEntropy(z, NONE).flatten();
        long count = Math.max(1, (long) (each.numel() * problem.share()));
        return torch.topk(each, count, 0, true, false).get0().mean();
    }

    /** The mean over the samples of the worst share of each. */
    private Tensor topKPerSample(Tensor z) {
        Tensor each = crossEntropy(z, NONE).flatten(1, -1);
        long count = Math.max(1, (long) (each.size(1) * problem.share()));
        return torch.topk(each, count, 1, true, false).get0().mean();
    }

    private Tensor focal(Tensor z) {
        Tensor each = crossEntropy(z, NONE);
        return each.neg()
                .exp()
                .neg()
                .add(scalar(1))
                .pow(scalar(FOCAL_GAMMA))
                .mul(each)
                .mean();
    }

    /** By true positives, false positives and false negatives of the foreground, as most public versions write it. */
    private Tensor tversky(Tensor z) {
        Sums s = sums(z, true, problem.target() == LossProblem.Target.CLASSES ? 1 : 0);
        Tensor falsePositives = s.probability.sub(s.intersection).mul(scalar(1 - TVERSKY_BETA));
        Tensor falseNegatives = s.count.sub(s.intersection).mul(scalar(TVERSKY_BETA));
        Tensor numerator = s.intersection.add(scalar(1));
        Tensor denominator =
                s.intersection.add(falsePositives).add(falseNegatives).add(scalar(1));
        return numerator.div(denominator).mean().neg().add(scalar(1));
    }

    private Tensor dice(Tensor z, boolean batch) {
        boolean softmax = problem.target() == LossProblem.Target.CLASSES;
        Sums s = sums(z, batch, softmax ? 1 : 0);
        Tensor size = s.probability.add(s.count).add(scalar(SMOOTH)).clamp_min(scalar(1e-8));
        return s.intersection
                .mul(scalar(2))
                .add(scalar(SMOOTH))
                .div(size)
                .mean()
                .neg();
    }

    private Tensor monaiDice(Tensor z) {
        Sums s = sums(z, false, 0);
        return dicePerEntry(s).neg().add(scalar(1)).mean();
    }

    private Tensor monaiJaccard(Tensor z) {
        Sums s = sums(z, false, 0);
        Tensor union = s.probability.add(s.count).sub(s.intersection).mul(scalar(2));
        Tensor numerator = s.intersection.mul(scalar(2)).add(scalar(SMOOTH));
        return numerator.div(union.add(scalar(SMOOTH))).neg().add(scalar(1)).mean();
    }

    private Tensor weightedDice(Tensor z) {
        Tensor weights = classWeights.get();
        Tensor weighted = dicePerEntry(sums(z, true, 0)).mul(weights).sum();
        return weighted.div(weights.sum()).neg().add(scalar(1));
    }

    private Tensor generalizedDice(Tensor z) {
        Sums s = sums(z, false, 0);
        Tensor w = s.count.square().reciprocal();
        Tensor infinite = w.isinf();
        Tensor finite = w.masked_fill(infinite, scalar(0));
        w = finite.where(infinite.logical_not(), finite.amax(new long[] {1}, true));
        Tensor numerator = s.intersection.mul(w).sum(1).mul(scalar(2)).add(scalar(SMOOTH));
        Tensor denominator = s.probability.add(s.count).mul(w).sum(1).add(scalar(SMOOTH));
        return numerator.div(denominator).neg().add(scalar(1)).mean();
    }

    private static Tensor dicePerEntry(Sums s) {
        Tensor size = s.probability.add(s.count).add(scalar(SMOOTH));
        return s.intersection.mul(scalar(2)).add(scalar(SMOOTH)).div(size);
    }

    private Sums sums(Tensor z, boolean batch, long firstChannel) {
        int dim = (int) z.dim() - 2;
        long[] axes = batch
                ? (dim == 2 ? new long[] {0, 2, 3} : new long[] {0, 2, 3, 4})
                : dim == 2 ? new long[] {2, 3} : new long[] {2, 3, 4};
        boolean softmax = problem.target() == LossProblem.Target.CLASSES;
        Tensor p = softmax ? torch.softmax(z, 1) : z.sigmoid();
        Tensor y = labels;
        if (softmax) {
            Tensor index = labels.unsqueeze(1);
            if (problem.ignore().isPresent()) {
                Tensor counts = index.ne(scalar(problem.ignore().getAsInt()));
                index = index.mul(counts);
                p = p.mul(counts);
                y = torch.zeros_like(p.detach()).scatter_(1, index, scalar(1)).mul(counts);
            } else {
                y = torch.zeros_like(p.detach()).scatter_(1, index, scalar(1));
            }
        }
        long used = z.size(1) - firstChannel;
        p = p.narrow(1, firstChannel, used);
        y = y.narrow(1, firstChannel, used);
        return new Sums(p.mul(y).sum(axes), p.sum(axes), y.sum(axes));
    }

    static Scalar scalar(double value) {
        return new Scalar(value);
    }
}
