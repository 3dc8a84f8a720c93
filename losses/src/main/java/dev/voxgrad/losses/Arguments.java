package dev.voxgrad.losses;

import dev.voxgrad.engine.ConfigException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * The arguments of one term in loss text. The term asks for each one by name, type and default; what it never asked for is an
 * unknown argument. Errors point at the place in the text.
 */
final class Arguments {
    /** An argument as written: positions count characters from the start of the text. */
    record Given(int position, String value, int valuePosition) {}

    private final String text;
    private final String term;
    private final Map<String, Given> given = new LinkedHashMap<>();
    private final TreeSet<String> asked = new TreeSet<>();

    Arguments(String text, String term) {
        this.text = text;
        this.term = term;
    }

    void put(String name, Given argument) {
        if (given.putIfAbsent(name, argument) != null) {
            throw LossText.error(text, argument.position, term + ": " + name + " is given twice");
        }
    }

    /** A number, for example {@code smooth=1e-5}. */
    double number(String name, double standard) {
        return get(name, standard, "a number", Arguments::readNumber);
    }

    /** {@code true} or {@code false}. */
    boolean flag(String name, boolean standard) {
        return get(name, standard, "true or false", value -> switch (value) {
            case "true" -> true;
            case "false" -> false;
            default -> throw new IllegalArgumentException(value);
        });
    }

    /** Numbers in brackets, for example {@code weights=[1, 2.5]}; none when not given. */
    List<Double> numbers(String name) {
        return get(name, List.of(), "a list such as [1, 2.5]", value -> {
            if (!value.startsWith("[") || !value.endsWith("]")) {
                throw new IllegalArgumentException(value);
            }
            String[] items = value.substring(1, value.length() - 1).split(",", -1);
            return Arrays.stream(items).map(item -> readNumber(item.strip())).toList();
        });
    }

    /** One of the constants of an enum in lower case. */
    <E extends Enum<E>> E choice(String name, E standard) {
        List<E> constants = List.of(standard.getDeclaringClass().getEnumConstants());
        String words = constants.stream().map(TermText::word).collect(Collectors.joining(" or "));
        return get(
                name,
                standard,
                words,
                value -> constants.stream()
                        .filter(constant -> TermText.word(constant).equals(value))
                        .findFirst()
                        .orElseThrow(() -> new IllegalArgumentException(value)));
    }

    /** Fails if an argument was given that the term did not ask for. */
    void requireAllAsked() {
        given.forEach((name, argument) -> {
            if (!asked.contains(name)) {
                throw LossText.error(
                        text,
                        argument.position,
                        term + " has no argument \"" + name + "\"; "
                                + (asked.isEmpty() ? "it has none" : "it has " + String.join(", ", asked)));
            }
        });
    }

    private <T> T get(String name, T standard, String expected, Function<String, T> read) {
        asked.add(name);
        Given argument = given.get(name);
        if (argument == null) {
            return standard;
        }
        try {
            return read.apply(argument.value);
        } catch (IllegalArgumentException wrong) {
            String message = term + ": " + name + " is \"" + argument.value + "\", expected " + expected;
            throw new ConfigException(LossText.message(text, argument.valuePosition, message), wrong);
        }
    }

    private static double readNumber(String value) {
        if (!LossText.SIGNED_NUMBER.matcher(value).matches()) {
            throw new IllegalArgumentException(value);
        }
        return Double.parseDouble(value);
    }
}
