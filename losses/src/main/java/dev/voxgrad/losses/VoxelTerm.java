package dev.voxgrad.losses;

import dev.voxgrad.engine.op.SegLoss.Nonlinearity;
import dev.voxgrad.engine.op.VoxelLosses;
import java.util.Arrays;

/**
 * A term that is a function of one number per voxel, softmax only. For a voxel of label t the number is
 * {@code trueWeights[t] (-log p_t) + sum_c otherWeights[c] (-log p_c)}: with the defaults its cross entropy.
 */
public interface VoxelTerm extends Term {
    @Override
    default Nonlinearity nonlinearity() {
        return Nonlinearity.SOFTMAX;
    }

    /** Factor of -log p of the voxel's own class, for each class. */
    default double[] trueWeights(int classes) {
        double[] ones = new double[classes];
        Arrays.fill(ones, 1);
        return ones;
    }

    /** Factor of -log p of each class at every voxel. */
    default double[] otherWeights(int classes) {
        return new double[classes];
    }

    /**
     * Evaluates the term, and replaces the numbers of the voxels by weight * d term / d number.
     *
     * @param losses of the whole batch
     * @param weight factor of this term, not 0
     * @return weight * term
     */
    double evaluate(VoxelLosses losses, double weight);
}
