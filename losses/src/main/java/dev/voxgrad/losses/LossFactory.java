package dev.voxgrad.losses;

import java.util.function.Function;

/**
 * Makes a loss of its arguments in loss text. A loss of your own needs no change here: put a class that implements this interface and
 * has a public constructor without parameters on the class path, and its name into the file
 * {@code META-INF/services/dev.voxgrad.losses.LossFactory} beside it. From then on its {@link #name} works wherever loss text does.
 *
 * <p>{@link #parse} is called once per use in a text, from one thread at a time; a factory has no state.
 */
public interface LossFactory {
    /** The name in loss text: letters, digits and {@code _}, not starting with a digit; no other loss may have it. */
    String name();

    /** One line for lists: what it is and where it comes from. */
    String description();

    /**
     * Reads the arguments. What is not asked for is an unknown argument.
     *
     * @return an immutable term whose {@code toString} is text that is read back to an equal term, see {@link TermText}
     * @throws dev.voxgrad.engine.ConfigException when a value does not fit; the place in the text is added to the message
     */
    Term parse(Arguments arguments);

    /**
     * True when the loss is defined for sigmoid probabilities alone. Losses beside it that know both then take sigmoid as their
     * default, see {@link Arguments#nonlinearity}.
     */
    default boolean sigmoidOnly() {
        return false;
    }

    /** A factory for softmax, or for both. */
    static LossFactory of(String name, String description, Function<Arguments, Term> parse) {
        return new FunctionFactory(name, description, parse, false);
    }

    /** A factory of a loss for sigmoid probabilities alone. */
    static LossFactory ofSigmoid(String name, String description, Function<Arguments, Term> parse) {
        return new FunctionFactory(name, description, parse, true);
    }
}
