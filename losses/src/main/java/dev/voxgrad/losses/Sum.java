package dev.voxgrad.losses;

import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.op.Progress;
import dev.voxgrad.engine.op.SegLoss.Nonlinearity;
import dev.voxgrad.engine.op.SegLoss.Pass;
import dev.voxgrad.engine.op.SegLoss.Sums;
import dev.voxgrad.engine.op.SegLoss.VoxelFormula;
import dev.voxgrad.engine.op.VoxelLosses;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * A weighted sum of terms that share the two loss passes. Sums inside a sum are unfolded, and equal terms are one with the sum of their
 * weights: a schedule from {@code topk} to {@code topk + dice} selects voxels once.
 *
 * @param parts at least one, all with the same nonlinearity; no term twice
 */
public record Sum(List<Part> parts) implements Term {
    /**
     * A term and its factor. A term with weight 0 is not evaluated, so it cannot make the sum NaN or infinite.
     *
     * @param weight finite, at least 0
     */
    public record Part(double weight, Term term) {
        /** Checks the weight. */
        public Part {
            if (!(weight >= 0 && weight < Double.POSITIVE_INFINITY)) {
                throw new ConfigException(
                        "loss: the weight of " + term + " is " + weight + ", it must be a number of at least 0");
            }
        }

        @Override
        public String toString() {
            return weight == 1 ? term.toString() : TermText.number(weight) + "*" + term;
        }
    }

    /** Unfolds sums, adds up equal terms and checks that the parts go together. */
    public Sum {
        Map<Term, Double> weights = new LinkedHashMap<>();
        for (Part part : parts) {
            List<Part> unfolded = part.term instanceof Sum inner ? inner.parts : List.of(new Part(1, part.term));
            unfolded.forEach(p -> weights.merge(p.term, part.weight * p.weight, Double::sum));
        }
        if (weights.isEmpty()) {
            throw new ConfigException("loss: a sum needs at least one term");
        }
        parts = weights.entrySet().stream()
                .map(entry -> new Part(entry.getValue(), entry.getKey()))
                .toList();
        Term first = parts.getFirst().term;
        for (Part part : parts) {
            if (part.term.nonlinearity() != first.nonlinearity()) {
                throw new ConfigException(
                        "loss: " + first + " is a loss of " + first.nonlinearity() + " probabilities, " + part.term
                                + " one of " + part.term.nonlinearity() + " probabilities; a sum needs one kind");
            }
        }
    }

    /** Terms with weight 1. */
    public static Sum of(Term... terms) {
        return new Sum(List.of(terms).stream().map(t -> new Part(1, t)).toList());
    }

    @Override
    public Nonlinearity nonlinearity() {
        return parts.getFirst().term.nonlinearity();
    }

    @Override
    public void requireClasses(int classes) {
        parts.forEach(p -> p.term.requireClasses(classes));
    }

    @Override
    public Sum at(Progress progress) {
        List<Part> now =
                parts.stream().map(p -> new Part(p.weight, p.term.at(progress))).toList();
        return now.equals(parts) ? this : new Sum(now);
    }

    /**
     * As few readings of logits and labels as there can be: all terms of the sums share one; so do blob terms of the same connectivity,
     * which bring its components, and the first term of the voxels. Each further connectivity and each further term of the voxels, whose
     * numbers turn into derivatives in place, takes its own. Terms with weight 0 are in none.
     */
    List<Pass> passes() {
        List<Part> regions = new ArrayList<>();
        List<Part> voxels = new ArrayList<>();
        TreeMap<Integer, List<Part>> blobs = new TreeMap<>();
        for (Part part : evaluated()) {
            switch (part.term) {
                case RegionTerm term -> regions.add(part);
                case VoxelTerm term -> voxels.add(part);
                case TensorTerm term -> {
                    // Records itself, see tensors().
                }
                case Blob blob ->
                    blobs.computeIfAbsent(blob.connectivity(), c -> new ArrayList<>())
                            .add(part);
                case Schedule schedule ->
                    throw new IllegalStateException(
                            "loss: " + schedule + " has no value of its own; take Loss.at first");
                default ->
                    throw new ConfigException("loss: " + part.term + " is no term of sums, voxels or tensors; "
                            + part.term.getClass().getName() + " must implement RegionTerm, VoxelTerm or TensorTerm");
            }
        }
        List<Pass> passes = new ArrayList<>();
        while (!regions.isEmpty() || !blobs.isEmpty() || !voxels.isEmpty()) {
            Optional<VoxelFormula> voxel =
                    voxels.isEmpty() ? Optional.empty() : Optional.of(new Voxels(voxels.removeFirst()));
            List<Part> sums = new ArrayList<>(regions);
            regions.clear();
            OptionalInt connectivity = blobs.isEmpty() ? OptionalInt.empty() : OptionalInt.of(blobs.firstKey());
            connectivity.ifPresent(c -> sums.addAll(blobs.remove(c)));
            passes.add(new Pass((table, partials) -> evaluate(sums, table, 1, partials), voxel, connectivity));
        }
        return passes;
    }

    /** The parts that are autograd ops. */
    List<Part> tensors() {
        return evaluated().stream()
                .filter(part -> part.term instanceof TensorTerm)
                .toList();
    }

    /** The parts whose weight is not 0. */
    List<Part> evaluated() {
        return parts.stream().filter(part -> part.weight != 0).toList();
    }

    /** weight * the value of parts that are functions of sums, with their derivatives added. */
    static double evaluate(List<Part> parts, Sums sums, double weight, Sums partials) {
        double value = 0;
        for (Part part : parts) {
            value += part.term instanceof Blob blob
                    ? blob.evaluate(sums, weight * part.weight, partials)
                    : ((RegionTerm) part.term).evaluate(sums, weight * part.weight, partials);
        }
        return value;
    }

    private record Voxels(Part part) implements VoxelFormula {
        private VoxelTerm term() {
            return (VoxelTerm) part.term;
        }

        @Override
        public double[] trueWeights(int classes) {
            return term().trueWeights(classes);
        }

        @Override
        public double[] otherWeights(int classes) {
            return term().otherWeights(classes);
        }

        @Override
        public double evaluate(VoxelLosses losses) {
            return term().evaluate(losses, part.weight);
        }
    }

    @Override
    public String toString() {
        return parts.stream().map(Part::toString).collect(Collectors.joining(" + "));
    }
}
