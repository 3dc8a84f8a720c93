package dev.voxgrad.losses;

import java.util.function.Function;

/** A factory of its parts. */
record FunctionFactory(String name, String description, Function<Arguments, Term> parser, boolean sigmoidOnly)
        implements LossFactory {
    @Override
    public Term parse(Arguments arguments) {
        return parser.apply(arguments);
    }
}
