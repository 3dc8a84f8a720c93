package dev.voxgrad.losses;

import java.util.List;

/** Loss text as read, before anything in it has a meaning. Positions count characters from the start of the text. */
sealed interface Syntax {
    /** Where it starts. */
    int position();

    /** A number with an optional sign. */
    record Number(int position, double value) implements Syntax {}

    /** Two numbers as in {@code 0.33..0.66}. */
    record Range(int position, double from, double to) implements Syntax {}

    /** Numbers in brackets, at least one. */
    record Numbers(int position, List<Double> values) implements Syntax {}

    /** A name with nothing around it: one of an argument's words, or a loss with its defaults. */
    record Word(int position, String name) implements Syntax {
        Chain loss() {
            Call call = new Call(position, name, List.of());
            return new Chain(position, List.of(new Total(position, List.of(new Part(position, 1, call)))));
        }
    }

    /** Losses with arrows between them; one loss has none. */
    record Chain(int position, List<Total> stages) implements Syntax {}

    /** Weighted parts with plus signs between them. */
    record Total(int position, List<Part> parts) implements Syntax {}

    /** A weight, 1 if none is written, and what it multiplies: a {@link Call} or a {@link Total} in parentheses. */
    record Part(int position, double weight, Syntax factor) implements Syntax {}

    /** A loss by name with its arguments. */
    record Call(int position, String name, List<Argument> arguments) implements Syntax {}

    /**
     * An argument.
     *
     * @param name empty when only the value is written
     * @param source of the value, for messages
     */
    record Argument(int position, String name, Syntax value, String source) implements Syntax {}
}
