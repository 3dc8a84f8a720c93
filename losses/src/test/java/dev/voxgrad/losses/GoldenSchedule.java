package dev.voxgrad.losses;

import dev.voxgrad.engine.op.Progress;
import dev.voxgrad.golden.GoldenCase;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import tools.jackson.databind.JsonNode;

/** Golden cases of schedules and class weights: numbers without logits. */
final class GoldenSchedule {
    private GoldenSchedule() {}

    /** Weights of cross entropy and Dice at every epoch, for each way of blending them. */
    static void checkWeights(GoldenCase golden) {
        int[] epochs = golden.tensor("in/epoch").ints();
        for (Map.Entry<String, JsonNode> entry : golden.params().properties()) {
            Sum loss = ((SegmentationLoss) Losses.parse(text(entry.getValue()), LossContext.of(28))).sum();
            double[] weights = new double[2 * epochs.length];
            for (int i = 0; i < epochs.length; i++) {
                Sum now = loss.at(Progress.ofEpoch(epochs[i], epochs.length));
                weights[2 * i] = weight(now, CrossEntropy.DEFAULT);
                weights[2 * i + 1] = weight(now, SoftDice.DEFAULT);
            }
            golden.check("out/" + entry.getKey(), weights);
        }
    }

    private static String text(JsonNode p) {
        String first = p.path("t1").asString();
        String second = p.path("t2").asString();
        String mode = p.required("mode").asString();
        return switch (mode) {
            case "constant" -> "schedule(%s*ce + %s*dice)".formatted(p.required("ce"), p.required("dice"));
            case "step" ->
                "schedule(ce -> %s*ce + %s*dice -> dice, epochs=%s..%s)"
                        .formatted(
                                p.path("mix_ce").asDouble(1), p.path("mix_dice").asDouble(1), first, second);
            default ->
                "%s*schedule(ce -> dice, %s, epochs=%s..%s)"
                        .formatted(p.path("total").asDouble(1), mode, first, second);
        };
    }

    private static double weight(Sum sum, Term term) {
        return sum.parts().stream()
                .filter(part -> part.term().equals(term))
                .mapToDouble(Sum.Part::weight)
                .sum();
    }

    /** Class weights by both rules. */
    static void checkClassWeights(GoldenCase golden) {
        int[] shape = golden.tensor("in/labels").shape();
        byte[] all = golden.tensor("in/labels").bytes();
        int voxels = shape[1] * shape[2];
        List<byte[]> images = IntStream.range(0, shape[0])
                .mapToObj(i -> Arrays.copyOfRange(all, i * voxels, (i + 1) * voxels))
                .toList();
        LabelCounts counts =
                LabelCounts.of(images, golden.params().required("classes").asInt());
        golden.check("out/median_frequency", array(counts.medianFrequencyWeights()));
        golden.check("out/inverse_frequency", array(counts.inverseFrequencyWeights()));
    }

    private static double[] array(List<Double> values) {
        return values.stream().mapToDouble(v -> v).toArray();
    }
}
