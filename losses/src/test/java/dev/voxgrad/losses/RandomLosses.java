package dev.voxgrad.losses;

import dev.voxgrad.engine.op.SegLoss.Nonlinearity;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.Random;
import java.util.stream.Stream;

/** Losses with random parameters; add a line for each new term. */
final class RandomLosses {
    private RandomLosses() {}

    /** All terms of one nonlinearity. */
    static List<Term> terms(Random random, int classes, Nonlinearity nonlinearity) {
        Term dice = new SoftDice(
                random.nextBoolean(), random.nextBoolean(), Math.pow(10, -5 * random.nextDouble()), nonlinearity);
        return nonlinearity == Nonlinearity.SIGMOID ? List.of(dice) : List.of(dice, crossEntropy(random, classes));
    }

    private static CrossEntropy crossEntropy(Random random, int classes) {
        List<Double> weights =
                Stream.generate(() -> 0.1 + random.nextDouble()).limit(classes).toList();
        return new CrossEntropy(
                random.nextBoolean() ? weights : List.of(),
                random.nextBoolean() ? random.nextDouble() / 2 : 0,
                random.nextBoolean() ? CrossEntropy.Reduction.MEAN : CrossEntropy.Reduction.SUM);
    }

    /** Every term alone, and all of them with random weights. */
    static List<SegmentationLoss> losses(Random random, int classes, Nonlinearity nonlinearity) {
        List<Term> terms = terms(random, classes, nonlinearity);
        List<SegmentationLoss> losses = new ArrayList<>();
        terms.forEach(term -> losses.add(new SegmentationLoss(Sum.of(term), classes, OptionalInt.empty())));
        Sum all = new Sum(terms.stream()
                .map(term -> new Sum.Part(0.1 + random.nextDouble(), term))
                .toList());
        losses.add(new SegmentationLoss(all, classes, OptionalInt.empty()));
        return losses;
    }
}
