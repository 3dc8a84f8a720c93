package dev.voxgrad.losses;

import dev.voxgrad.engine.op.Loss;
import java.util.Collections;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Function;

/** All losses by name. A plan stores a loss as text, for example {@code dice + ce} or {@code 0.5*dice(batch=true) + ce}. */
public final class Losses {
    /** What a plan says when nothing else was asked for. */
    public static final String DEFAULT = "dice + ce";

    private static final SortedMap<String, Function<Arguments, Term>> TERMS =
            Collections.unmodifiableSortedMap(new TreeMap<>(Map.of(
                    "ce", CrossEntropy::parse,
                    "dice", SoftDice::parse)));

    private Losses() {}

    /**
     * Reads loss text. The loss prints itself as text that reads back to an equal loss.
     *
     * @param text a sum such as {@code 0.5*dice(smooth=1e-5, batch=true) + ce(smoothing=0.1, weights=[1, 2, 3])}
     * @param classes channels of the network's output
     * @param ignoreLabel label of voxels that do not count
     * @throws dev.voxgrad.engine.ConfigException when the text or what it says is wrong; the message shows the place
     */
    public static Loss parse(String text, int classes, OptionalInt ignoreLabel) {
        return new SegmentationLoss(LossText.parse(text, TERMS, classes), classes, ignoreLabel);
    }

    /** The names that loss text may use, sorted. */
    public static Set<String> names() {
        return TERMS.keySet();
    }
}
