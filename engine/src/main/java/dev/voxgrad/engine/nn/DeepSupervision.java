package dev.voxgrad.engine.nn;

import dev.voxgrad.engine.autograd.Tape;
import dev.voxgrad.engine.op.Interpolate;
import dev.voxgrad.engine.op.Loss;
import dev.voxgrad.engine.op.Sum;
import dev.voxgrad.engine.op.Triple;
import dev.voxgrad.engine.tensor.Labels;
import dev.voxgrad.engine.tensor.Shape;
import dev.voxgrad.engine.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * One loss over all outputs of a network: the weighted sum over the resolutions, against labels resized by nearest-exact.
 *
 * @param weights of the outputs, full resolution first; an output with weight 0 is not evaluated and gives no gradient
 */
public record DeepSupervision(List<Double> weights) {
    /** At least one weight must not be 0. */
    public DeepSupervision {
        weights = List.copyOf(weights);
        if (weights.stream().allMatch(w -> w == 0) || !weights.stream().allMatch(w -> w >= 0 && Double.isFinite(w))) {
            throw new IllegalArgumentException(
                    "deep supervision: weights " + weights + " must be at least 0 and not all 0");
        }
    }

    /** nnU-Net's weights: 2^-r for output r, 0 for the last one, scaled to sum 1; a single output has weight 1. */
    public static DeepSupervision of(int outputs) {
        int used = Math.max(1, outputs - 1);
        double sum = 2 - Math.scalb(1.0, 1 - used); // 1 + 1/2 + ... + 2^(1-used)
        List<Double> weights = new ArrayList<>();
        for (int r = 0; r < outputs; r++) {
            weights.add(r < used ? Math.scalb(1.0, -r) / sum : 0.0);
        }
        return new DeepSupervision(weights);
    }

    /**
     * Computes the loss and records it.
     *
     * @param outputs logits, full resolution first, as many as weights; a recording tape frees them in its backward pass
     * @param labels at full resolution
     * @return a scalar
     */
    public Tensor apply(Tape tape, Loss loss, List<Tensor> outputs, Labels labels) {
        if (outputs.size() != weights.size()) {
            throw new IllegalArgumentException(
                    "deep supervision: " + weights.size() + " weights for " + outputs.size() + " outputs");
        }
        List<Sum.Term> terms = new ArrayList<>();
        for (int r = 0; r < outputs.size(); r++) {
            if (weights.get(r) != 0) {
                Tensor logits = outputs.get(r);
                Tensor value = loss.apply(tape, logits, resized(tape, labels, logits.shape()));
                terms.add(new Sum.Term(weights.get(r).floatValue(), value));
            }
        }
        if (tape.recording()) {
            outputs.forEach(tape::done); // otherwise they would go at once, and a validation wants their labels
        }
        return Sum.apply(tape, terms);
    }

    private static Labels resized(Tape tape, Labels labels, Shape logits) {
        Shape have = labels.shape();
        if (have.d() == logits.d() && have.h() == logits.h() && have.w() == logits.w()) {
            return labels;
        }
        Triple size = new Triple(Math.toIntExact(logits.d()), Math.toIntExact(logits.h()), Math.toIntExact(logits.w()));
        return Interpolate.resizeNearest(tape.scope(), labels, size);
    }
}
