package dev.voxgrad.losses;

import dev.voxgrad.engine.op.SegLoss.Sums;

/** A term that is a function of the sums that one pass over logits and labels returns, per sample and class. */
public interface RegionTerm extends Term {
    /**
     * Evaluates the term and its derivatives.
     *
     * @param sums of the whole batch, float64
     * @param weight factor of this term, not 0
     * @param partials a table of the same sizes; gets weight * d term / d sum added. {@code COUNT} and {@code VOXELS} are constants
     * @return weight * term
     */
    double evaluate(Sums sums, double weight, Sums partials);

    /** The term for one channel alone, which {@link Blob} needs; another one than this only when a parameter is a list by channel. */
    default RegionTerm ofChannel(int channel) {
        return this;
    }
}
