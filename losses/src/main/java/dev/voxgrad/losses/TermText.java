package dev.voxgrad.losses;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** Prints a term as loss text is read; arguments with their default value are left out. */
public final class TermText {
    private final String name;
    private final List<String> arguments = new ArrayList<>();
    private boolean named;

    /** Text that starts with the name of the loss. */
    public TermText(String name) {
        this.name = name;
    }

    /**
     * A number that {@link Arguments#positional} reads: its value alone as long as every positional argument before it is printed.
     * Print these first, in their order.
     */
    public TermText positional(String argument, double value, double standard) {
        return positional(argument, number(value), value == standard);
    }

    /** A word that {@link Arguments#positional} reads. */
    public TermText positional(String argument, Enum<?> value, Enum<?> standard) {
        return positional(argument, word(value), value == standard);
    }

    /** A loss that {@link Arguments#loss} reads; printed first. */
    public TermText positional(Term inner) {
        return positional(inner.toString());
    }

    /** Text that is a value already. */
    TermText positional(String value) {
        arguments.add(value);
        return this;
    }

    private TermText positional(String argument, String value, boolean isStandard) {
        if (isStandard) {
            named = true; // what follows is no longer at its place
            return this;
        }
        arguments.add(named ? argument + "=" + value : value);
        return this;
    }

    /** A number. */
    public TermText argument(String argument, double value, double standard) {
        return argument(argument, number(value), value == standard);
    }

    /** True or false. */
    public TermText argument(String argument, boolean value, boolean standard) {
        return argument(argument, Boolean.toString(value), value == standard);
    }

    /** A word. */
    public TermText argument(String argument, Enum<?> value, Enum<?> standard) {
        return argument(argument, word(value), value == standard);
    }

    /** A list whose default is empty. */
    public TermText argument(String argument, List<Double> values) {
        return argument(argument, list(values), values.isEmpty());
    }

    /** Class weights whose default is none. */
    public TermText argument(String argument, ClassWeights weights) {
        return argument(argument, weights.toString(), weights.isEmpty());
    }

    /** Text that is an argument's value already. */
    TermText argument(String argument, String value, boolean isStandard) {
        if (!isStandard) {
            arguments.add(argument + "=" + value);
        }
        return this;
    }

    /** Numbers in brackets. */
    static String list(List<Double> values) {
        return values.stream().map(TermText::number).collect(Collectors.joining(", ", "[", "]"));
    }

    /** The shortest text that reads back to the same double. */
    static String number(double value) {
        return Double.toString(value).replaceFirst("\\.0(?=$|E)", "").replace('E', 'e');
    }

    /** The word that stands for a constant. */
    static String word(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }

    @Override
    public String toString() {
        return arguments.isEmpty() ? name : name + "(" + String.join(", ", arguments) + ")";
    }
}
