package dev.voxgrad.losses;

import dev.voxgrad.engine.ConfigException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads loss text:
 *
 * <pre>
 * loss     = part { "+" part }
 * part     = [ number "*" ] ( name [ "(" [ argument { "," argument } ] ")" ] | "(" loss ")" )
 * argument = [ name "=" ] value              values without a name come first
 * value    = number | number ".." number | "[" number { "," number } "]" | word | loss { "->" loss }
 * </pre>
 */
final class LossText {
    // A point that another one follows belongs to a range.
    private static final String UNSIGNED = "(?:\\d+(?:\\.(?!\\.)\\d*)?|\\.\\d+)(?:[eE][+-]?\\d+)?";
    private static final Pattern WEIGHT = Pattern.compile(UNSIGNED);
    private static final Pattern NUMBER = Pattern.compile("[+-]?" + UNSIGNED);
    private static final Pattern NAME = Pattern.compile("[A-Za-z_]\\w*");
    private static final Pattern ARROW = Pattern.compile("->");
    private static final Pattern DOTS = Pattern.compile("\\.\\.");

    private final String text;
    private final String names;
    private int at;

    private LossText(String text, String names) {
        this.text = text;
        this.names = names;
    }

    /** Reads a text to its end; {@code names} are the valid ones, for messages. */
    static Syntax.Total read(String text, String names) {
        LossText reader = new LossText(text, names);
        Syntax.Total total = reader.total();
        reader.blanks();
        if (reader.at < text.length()) {
            throw reader.unexpected("+ or the end");
        }
        return total;
    }

    private Syntax.Total total() {
        blanks();
        int start = at;
        List<Syntax.Part> parts = new ArrayList<>();
        do {
            parts.add(part());
        } while (skip('+'));
        return new Syntax.Total(start, List.copyOf(parts));
    }

    private Syntax.Part part() {
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
        if (skip('(')) {
            Syntax.Total inner = total();
            if (!skip(')')) {
                throw unexpected("+ or )");
            }
            return new Syntax.Part(start, weight, inner);
        }
        int position = at;
        String name = match(NAME)
                .orElseThrow(() -> error(
                        text, position, "expected a loss (" + names + "), with or without a weight as in 0.5*dice"));
        return new Syntax.Part(start, weight, new Syntax.Call(position, name, arguments(name)));
    }

    private List<Syntax.Argument> arguments(String term) {
        if (!skip('(') || skip(')')) {
            return List.of();
        }
        List<Syntax.Argument> arguments = new ArrayList<>();
        do {
            Syntax.Argument argument = argument(term);
            if (argument.name().isEmpty()
                    && !arguments.isEmpty()
                    && !arguments.getLast().name().isEmpty()) {
                throw error(text, argument.position(), term + ": values without a name come first");
            }
            arguments.add(argument);
        } while (skip(','));
        if (!skip(')')) {
            throw error(text, at, term + ": expected , or )");
        }
        return List.copyOf(arguments);
    }

    private Syntax.Argument argument(String term) {
        blanks();
        int start = at;
        Optional<String> name = match(NAME).filter(found -> skip('='));
        if (name.isEmpty()) {
            at = start;
        }
        blanks();
        int valueStart = at;
        Syntax value = value(term, name);
        String source = text.substring(valueStart, at).strip();
        return new Syntax.Argument(start, name.orElse(""), value, source);
    }

    private Syntax value(String term, Optional<String> name) {
        int start = at;
        if (skip('[')) {
            return numbers(term, start);
        }
        Optional<Double> number = match(NUMBER).map(Double::parseDouble);
        int end = at;
        blanks();
        if (number.isPresent() && match(DOTS).isPresent()) {
            return new Syntax.Range(start, number.get(), number(term + ": expected a number after .."));
        }
        if (number.isPresent() && !skip('*')) {
            at = end;
            return new Syntax.Number(start, number.get());
        }
        at = start;
        if (at == text.length() || (!isNext(NAME) && !isNext(WEIGHT) && text.charAt(at) != '(')) {
            throw error(
                    text,
                    at,
                    term + ": expected "
                            + name.map(n -> "a value for " + n).orElse("an argument as in name=value, or a value"));
        }
        return lossOrWord();
    }

    private Syntax lossOrWord() {
        int start = at;
        Optional<String> name = match(NAME);
        int end = at;
        blanks();
        if (name.isPresent() && !isNext(ARROW) && (at == text.length() || "(+*".indexOf(text.charAt(at)) < 0)) {
            at = end;
            return new Syntax.Word(start, name.get());
        }
        at = start;
        List<Syntax.Total> stages = new ArrayList<>();
        do {
            stages.add(total());
            blanks();
        } while (match(ARROW).isPresent());
        return new Syntax.Chain(start, List.copyOf(stages));
    }

    private Syntax.Numbers numbers(String term, int start) {
        List<Double> values = new ArrayList<>();
        do {
            values.add(number(term + ": expected a number as in [1, 2.5]"));
        } while (skip(','));
        if (!skip(']')) {
            throw error(text, at, term + ": expected , or ]");
        }
        return new Syntax.Numbers(start, List.copyOf(values));
    }

    private double number(String otherwise) {
        blanks();
        return match(NUMBER).map(Double::parseDouble).orElseThrow(() -> error(text, at, otherwise));
    }

    private ConfigException unexpected(String expected) {
        return error(
                text,
                at,
                isNext(ARROW)
                        ? "an arrow belongs into schedule(...), as in schedule(ce -> ce + dice)"
                        : "expected " + expected);
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

    private boolean isNext(Pattern pattern) {
        return pattern.matcher(text).region(at, text.length()).lookingAt();
    }

    private Optional<String> match(Pattern pattern) {
        Matcher matcher = pattern.matcher(text).region(at, text.length());
        if (!matcher.lookingAt()) {
            return Optional.empty();
        }
        at = matcher.end();
        return Optional.of(matcher.group());
    }

    /** An error with the text and a line whose caret points at a position in it. */
    static ConfigException error(String text, int position, String message) {
        return new ConfigException(message(text, position, message));
    }

    static String message(String text, int position, String message) {
        return "loss text: " + message + "\n  " + text.replaceAll("\\s", " ") + "\n  " + " ".repeat(position) + "^";
    }
}
