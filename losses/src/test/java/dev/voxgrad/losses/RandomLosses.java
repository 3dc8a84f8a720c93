package dev.voxgrad.losses;

import dev.voxgrad.engine.op.Components;
import dev.voxgrad.engine.op.SegLoss.Nonlinearity;
import dev.voxgrad.engine.op.VoxelLosses;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.Random;
import java.util.stream.Stream;

/** Losses with random parameters; add a line for each new term. */
final class RandomLosses {
    private final Random random;
    private final int classes;
    private final Nonlinearity nonlinearity;

    private RandomLosses(Random random, int classes, Nonlinearity nonlinearity) {
        this.random = random;
        this.classes = classes;
        this.nonlinearity = nonlinearity;
    }

    /** All terms of one nonlinearity. */
    static List<Term> terms(Random random, int classes, Nonlinearity nonlinearity) {
        RandomLosses make = new RandomLosses(random, classes, nonlinearity);
        List<Term> terms = new ArrayList<>(make.regionTerms());
        if (nonlinearity == Nonlinearity.SIGMOID) {
            terms.add(make.blob());
        } else {
            terms.addAll(make.voxelTerms());
        }
        return terms;
    }

    /** Every term alone, and all of them with random weights. */
    static List<SegmentationLoss> losses(Random random, int classes, Nonlinearity nonlinearity) {
        List<Term> terms = terms(random, classes, nonlinearity);
        List<SegmentationLoss> losses = new ArrayList<>();
        terms.forEach(term -> losses.add(new SegmentationLoss(Sum.of(term), classes, OptionalInt.empty())));
        losses.add(new SegmentationLoss(weighted(random, terms), classes, OptionalInt.empty()));
        return losses;
    }

    private List<RegionTerm> regionTerms() {
        List<RegionTerm> terms = new ArrayList<>(List.of(
                new SoftDice(flag(), flag(), smooth(), nonlinearity),
                new MonaiDice(flag(), flag(), flag(), flag(), smooth(), smooth(), weights(), reduction(), nonlinearity),
                new GeneralizedDice(
                        pick(GeneralizedDice.Weighting.values()),
                        flag(),
                        flag(),
                        smooth(),
                        smooth(),
                        flag(),
                        nonlinearity),
                new Tversky(random.nextDouble(), nonlinearity)));
        if (nonlinearity == Nonlinearity.SIGMOID) {
            List<Double> positive = weights().values();
            terms.add(new BinaryCrossEntropy(positive, pick(BinaryCrossEntropy.Reduction.values())));
        } else {
            terms.add(new CrossEntropy(weights(), smoothing(), reduction()));
            terms.add(new WeightedDice(ClassWeights.of(list()), flag(), flag(), smooth()));
        }
        return terms;
    }

    private List<VoxelTerm> voxelTerms() {
        return List.of(
                new TopK(
                        0.05 + 0.95 * random.nextDouble(),
                        weights(),
                        smoothing(),
                        pick(TopK.Per.values()),
                        pick(VoxelLosses.Ties.values()),
                        flag()),
                new Focal(3 * random.nextDouble()));
    }

    /** Around all terms that can be evaluated on one channel. */
    private Blob blob() {
        List<Term> inner = new ArrayList<>();
        for (RegionTerm term : regionTerms()) {
            boolean everyChannel = switch (term) {
                case SoftDice dice -> dice.background();
                case MonaiDice dice -> dice.background();
                case GeneralizedDice dice -> dice.background();
                default -> true;
            };
            if (everyChannel) {
                inner.add(term);
            }
        }
        return new Blob(
                weighted(random, inner),
                random.nextDouble(),
                0.1 + random.nextDouble(),
                pick(Components.CONNECTIVITIES.toArray(Integer[]::new)),
                pick(Blob.Mask.values()));
    }

    private static Sum weighted(Random random, List<Term> terms) {
        return new Sum(terms.stream()
                .map(term -> new Sum.Part(0.1 + random.nextDouble(), term))
                .toList());
    }

    private boolean flag() {
        return random.nextBoolean();
    }

    private double smooth() {
        return Math.pow(10, -5 * random.nextDouble());
    }

    private double smoothing() {
        return flag() ? random.nextDouble() / 2 : 0;
    }

    private List<Double> list() {
        return Stream.generate(() -> 0.1 + random.nextDouble()).limit(classes).toList();
    }

    private ClassWeights weights() {
        return flag() ? ClassWeights.of(list()) : ClassWeights.NONE;
    }

    private CrossEntropy.Reduction reduction() {
        return pick(CrossEntropy.Reduction.values());
    }

    private <T> T pick(T[] values) {
        return values[random.nextInt(values.length)];
    }
}
