package dev.voxgrad.losses;

import dev.voxgrad.engine.op.Loss;
import dev.voxgrad.engine.op.Progress;
import java.util.List;
import java.util.OptionalInt;
import java.util.SortedMap;

/** All losses by name. A plan stores a loss as text, for example {@code dice + ce} or {@code 0.5*dice(batch=true) + ce}. */
public final class Losses {
    /** What a plan says when nothing else was asked for. */
    public static final String DEFAULT = "dice + ce";

    /** Where weighted Dice from the first epoch gets its warning; the failure was seen with 28 classes. */
    private static final int MANY_CLASSES = 10;

    private static final List<LossFactory> BUILT_IN = List.of(
            LossFactory.of("ce", "cross entropy: class weights, label smoothing", CrossEntropy::parse),
            LossFactory.of("wce", "ce with class weights by median frequency", CrossEntropy::parseWeighted),
            LossFactory.ofSigmoid("bce", "binary cross entropy of every channel", BinaryCrossEntropy::parse),
            LossFactory.of("dice", "soft Dice of nnU-Net: per sample or batch, softmax or sigmoid", SoftDice::parse),
            LossFactory.of("monai_dice", "soft Dice or Jaccard of MONAI", MonaiDice::parse),
            LossFactory.of("gdl", "generalized Dice: classes weigh by 1/volume^2", GeneralizedDice::parse),
            LossFactory.of("wdice", "Dice with class weights by median frequency", WeightedDice::parse),
            LossFactory.of("tversky", "Dice with other weights of false positives and negatives", Tversky::parse),
            LossFactory.of("topk", "cross entropy of the worst voxels: topk(0.1) = 10 percent", TopK::parse),
            LossFactory.of("focal", "cross entropy that looks away from easy voxels", Focal::parse),
            LossFactory.ofSigmoid("blob", "every connected component weighs the same: blob(dice + bce)", Blob::parse),
            LossFactory.of(
                    "schedule", "one loss after the other, step, linear or cosine, by epoch or step", Schedule::parse));

    private Losses() {}

    /**
     * Reads loss text. The loss prints itself as text that reads back to an equal loss.
     *
     * @param text a sum such as {@code 0.5*dice(smooth=1e-5, batch=true) + ce(smoothing=0.1, weights=[1, 2, 3])}
     * @throws dev.voxgrad.engine.ConfigException when the text or what it says is wrong; the message shows the place
     */
    public static Loss parse(String text, LossContext context) {
        return new SegmentationLoss(
                LossBuilder.build(text, catalog(), context),
                context.classes(),
                context.ignoreLabel(),
                context.regions());
    }

    /** Reads loss text that asks for no class weights by rule, see {@link #parse(String, LossContext)}. */
    public static Loss parse(String text, int classes, OptionalInt ignoreLabel) {
        return parse(text, LossContext.of(classes).withIgnoreLabel(ignoreLabel));
    }

    /**
     * Whether loss text speaks of sigmoid probabilities: then the channels of the network are regions, not classes. Only names and
     * {@code sigmoid=true} are looked at, so the number of channels need not be known.
     *
     * @throws dev.voxgrad.engine.ConfigException when the text is wrong; the message shows the place
     */
    public static boolean isSigmoid(String text) {
        return LossBuilder.isSigmoid(text, catalog());
    }

    /** All losses that text may name: the built-in ones and those on the class path, see {@link LossFactory}. */
    public static SortedMap<String, LossFactory> factories() {
        return catalog().factories();
    }

    /**
     * What is known to go wrong with a loss, for the user to read before a training.
     *
     * @param epochs of the training
     */
    public static List<String> warnings(Loss loss, int epochs) {
        if (!(loss.at(Progress.ofEpoch(0, epochs)) instanceof SegmentationLoss first)
                || first.classes() < MANY_CLASSES
                || first.sum().evaluated().isEmpty()
                || !first.sum().evaluated().stream().allMatch(part -> part.term() instanceof WeightedDice)) {
            return List.of();
        }
        return List.of("weighted Dice alone from the first epoch is known not to converge with many classes (here "
                + first.classes() + "); start with cross entropy, as in schedule(wce -> wce + wdice -> wdice)");
    }

    /** Read anew each time: the class path of a thread may change, and the cost is that of a few small files. */
    private static Catalog catalog() {
        return Catalog.withClassPath(BUILT_IN, Thread.currentThread().getContextClassLoader());
    }
}
