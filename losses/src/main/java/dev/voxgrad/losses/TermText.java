package dev.voxgrad.losses;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** Prints a term as {@link LossText} reads it; arguments with their default value are left out. */
final class TermText {
    private final String name;
    private final List<String> arguments = new ArrayList<>();

    TermText(String name) {
        this.name = name;
    }

    TermText argument(String argument, double value, double standard) {
        return value == standard ? this : add(argument, number(value));
    }

    TermText argument(String argument, boolean value, boolean standard) {
        return value == standard ? this : add(argument, Boolean.toString(value));
    }

    TermText argument(String argument, Enum<?> value, Enum<?> standard) {
        return value == standard ? this : add(argument, word(value));
    }

    /** A list whose default is empty. */
    TermText argument(String argument, List<Double> values) {
        return values.isEmpty()
                ? this
                : add(argument, values.stream().map(TermText::number).collect(Collectors.joining(", ", "[", "]")));
    }

    private TermText add(String argument, String value) {
        arguments.add(argument + "=" + value);
        return this;
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
