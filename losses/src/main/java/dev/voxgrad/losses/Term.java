package dev.voxgrad.losses;

import dev.voxgrad.engine.op.SegLoss.Nonlinearity;
import dev.voxgrad.engine.op.SegLoss.Sums;

/**
 * A part of a loss as a function of the sums that one pass over logits and labels returns. An implementation is a record of its
 * parameters; {@code toString} gives the text that {@link Losses#parse} reads back to an equal term.
 */
public interface Term {
    /** How logits become the probabilities in the sums. */
    Nonlinearity nonlinearity();

    /**
     * Evaluates the term and its derivatives.
     *
     * @param sums of the whole batch, float64
     * @param weight factor of this term, not 0
     * @param partials a table of the same sizes; gets weight * d term / d sum added. {@code COUNT} and {@code VOXELS} are constants
     * @return weight * term
     */
    double evaluate(Sums sums, double weight, Sums partials);

    /**
     * Checks the parameters against the number of classes, or of channels with a sigmoid.
     *
     * @throws dev.voxgrad.engine.ConfigException when they do not fit
     */
    default void requireClasses(int classes) {}
}
