package dev.voxgrad.losses;

import dev.voxgrad.engine.ConfigException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads loss text:
 *
 * <pre>
 * loss     = part { "+" part }
 * part     = [ number "*" ] name [ "(" [ argument { "," argument } ] ")" ]
 * argument = name "=" ( number | "true" | "false" | word | "[" number { "," number } "]" )
 * </pre>
 */
final class LossText {
    private static final String NUMBER = "(?:\\d+\\.?\\d*|\\.\\d+)(?:[eE][+-]?\\d+)?";
    private static final Pattern WEIGHT = Pattern.compile(NUMBER);
    private static final Pattern NAME = Pattern.compile("[A-Za-z_]\\w*");
    private static final Pattern VALUE = Pattern.compile("\\[[^\\]()]*\\]|[^,()\\[\\]\\s]+");

    /** A number with an optional sign. */
    static final Pattern SIGNED_NUMBER = Pattern.compile("[+-]?" + NUMBER);

    private final String text;
    private final Map<String, Function<Arguments, Term>> terms;
    private final int classes;
    private int at;

    private LossText(String text, Map<String, Function<Arguments, Term>> terms, int classes) {
        this.text = text;
        this.terms = terms;
        this.classes = classes;
    }

    /** Reads a text to its end with the terms given by name. */
    static Sum parse(String text, Map<String, Function<Arguments, Term>> terms, int classes) {
        LossText reader = new LossText(text, terms, classes);
        List<Sum.Part> parts = new ArrayList<>();
        do {
            parts.add(reader.part());
        } while (reader.skip('+'));
        if (reader.at < text.length()) {
            throw error(text, reader.at, "expected + or the end");
        }
        return located(text, 0, () -> new Sum(parts));
    }

    private Sum.Part part() {
        blanks();
        int start = at;
        double weight = 1;
        Optional<String> number = match(WEIGHT);
        if (number.isPresent()) {
            weight = Double.parseDouble(number.get());
            if (!skip('*')) {
                throw error(text, at, "expected * after the weight " + number.get());
            }
        }
        blanks();
        int position = at;
        String name = match(NAME)
                .orElseThrow(() -> error(
                        text, position, "expected a loss (" + names() + "), with or without a weight as in 0.5*dice"));
        Function<Arguments, Term> term = terms.get(name);
        if (term == null) {
            throw error(text, position, "unknown loss \"" + name + "\"; valid names are " + names());
        }
        Arguments arguments = arguments(name);
        double factor = weight;
        return located(text, start, () -> {
            Term made = term.apply(arguments);
            arguments.requireAllAsked();
            made.requireClasses(classes);
            return new Sum.Part(factor, made);
        });
    }

    private Arguments arguments(String term) {
        Arguments arguments = new Arguments(text, term);
        if (!skip('(') || skip(')')) {
            return arguments;
        }
        do {
            blanks();
            int position = at;
            String name = match(NAME)
                    .orElseThrow(() -> error(text, position, term + ": expected an argument as in name=value"));
            if (!skip('=')) {
                throw error(text, at, term + ": expected = after " + name);
            }
            blanks();
            int valuePosition = at;
            String value =
                    match(VALUE).orElseThrow(() -> error(text, valuePosition, term + ": expected a value for " + name));
            arguments.put(name, new Arguments.Given(position, value, valuePosition));
        } while (skip(','));
        if (!skip(')')) {
            throw error(text, at, term + ": expected , or )");
        }
        return arguments;
    }

    private String names() {
        return String.join(", ", terms.keySet());
    }

    private void blanks() {
        while (at < text.length() && Character.isWhitespace(text.charAt(at))) {
            at++;
        }
    }

    /** Steps over blanks and, if it comes next, a character. */
    private boolean skip(char c) {
        blanks();
        boolean found = at < text.length() && text.charAt(at) == c;
        at += found ? 1 : 0;
        return found;
    }

    private Optional<String> match(Pattern pattern) {
        Matcher matcher = pattern.matcher(text).region(at, text.length());
        if (!matcher.lookingAt()) {
            return Optional.empty();
        }
        at = matcher.end();
        return Optional.of(matcher.group());
    }

    /** Runs a step; a message without a place in the text gets one. */
    private static <T> T located(String text, int position, Supplier<T> step) {
        try {
            return step.get();
        } catch (ConfigException e) {
            if (e.getMessage().contains("\n")) {
                throw e;
            }
            throw new ConfigException(message(text, position, e.getMessage()), e);
        }
    }

    /** An error with the text and a line whose caret points at a position in it. */
    static ConfigException error(String text, int position, String message) {
        return new ConfigException(message(text, position, message));
    }

    static String message(String text, int position, String message) {
        return "loss text: " + message + "\n  " + text.replaceAll("\\s", " ") + "\n  " + " ".repeat(position) + "^";
    }
}
