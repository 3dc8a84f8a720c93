package dev.voxgrad.losses;

import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.op.SegLoss.Nonlinearity;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * One weight per class, given as a list or by a rule from the training labels.
 *
 * @param rule where the numbers come from; loss text prints its name, so that a plan keeps it
 * @param values at least 0, not all 0; empty = every weight is 1
 */
public record ClassWeights(Rule rule, List<Double> values) {
    /** Where weights come from. */
    public enum Rule {
        /** The text lists them. */
        LIST,
        /** {@link LabelCounts#medianFrequencyWeights}. */
        MEDIAN_FREQUENCY,
        /** {@link LabelCounts#inverseFrequencyWeights}. */
        INVERSE_FREQUENCY;

        private String word() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** Every class weighs 1. */
    public static final ClassWeights NONE = new ClassWeights(Rule.LIST, List.of());

    /** Checks the numbers. */
    public ClassWeights {
        values = List.copyOf(values);
        if (!values.stream().allMatch(w -> w >= 0 && w < Double.POSITIVE_INFINITY)) {
            throw new ConfigException("weights " + values + " must be numbers of at least 0");
        }
        if (!values.isEmpty() && Collections.max(values) == 0) {
            throw new ConfigException(
                    rule == Rule.LIST
                            ? "all weights are 0; leave the term out instead"
                            : "all weights by " + rule.word() + " are 0: the training labels hold none of the classes");
        }
        if (rule != Rule.LIST && values.isEmpty()) {
            throw new ConfigException("weights by " + rule.word() + " are not known");
        }
    }

    /** Weights of a list; empty = every weight is 1. */
    public static ClassWeights of(List<Double> values) {
        return new ClassWeights(Rule.LIST, values);
    }

    /** The weights that a rule gives. */
    public static ClassWeights of(Rule rule, LabelCounts counts) {
        return new ClassWeights(
                rule,
                switch (rule) {
                    case LIST -> throw new IllegalArgumentException("a list needs no counts");
                    case MEDIAN_FREQUENCY -> counts.medianFrequencyWeights();
                    case INVERSE_FREQUENCY -> counts.inverseFrequencyWeights();
                });
    }

    /** True when there are no weights. */
    public boolean isEmpty() {
        return values.isEmpty();
    }

    /** The weight of one class. */
    public double of(int clazz) {
        return values.isEmpty() ? 1 : values.get(clazz);
    }

    /**
     * Checks the number of weights.
     *
     * @param term whose weights they are, for the message
     */
    public void requireClasses(String term, int classes) {
        if (!values.isEmpty() && values.size() != classes) {
            throw new ConfigException(
                    term + ": " + values.size() + " weights for " + classes + " classes; give one per class");
        }
    }

    /**
     * Checks that labels are what the channels stand for: only then can their counts be weights.
     *
     * @param term whose weights they are, for the message
     */
    void requireLabels(String term, Nonlinearity nonlinearity) {
        if (rule != Rule.LIST && nonlinearity == Nonlinearity.SIGMOID) {
            throw new ConfigException(term + ": weights by " + rule.word()
                    + " count labels, the channels of a sigmoid loss are regions; give a list");
        }
    }

    /** The weight of one channel as the only one. */
    ClassWeights ofChannel(int channel) {
        return isEmpty() ? this : of(List.of(of(channel)));
    }

    /** As in loss text; nothing when there are none. */
    @Override
    public String toString() {
        return switch (rule) {
            case LIST ->
                values.isEmpty()
                        ? ""
                        : values.stream().map(TermText::number).collect(Collectors.joining(", ", "[", "]"));
            default -> rule.word();
        };
    }
}
