package dev.voxgrad.losses;

import dev.voxgrad.engine.op.Progress;
import dev.voxgrad.engine.op.SegLoss.Nonlinearity;

/**
 * A part of a loss. A term of your own is a {@link RegionTerm}, a function of sums over voxels, a {@link VoxelTerm}, a function of one
 * number per voxel, or a {@link TensorTerm}, made of autograd ops; the others are {@link Blob}, around terms of sums, {@link Schedule},
 * which is another term at each point of the training, and {@link Sum}. An implementation is a record of its parameters;
 * {@code toString} gives the text that {@link Losses#parse} reads back to an equal term.
 */
public interface Term {
    /** How logits become probabilities. */
    Nonlinearity nonlinearity();

    /**
     * Checks the parameters against the number of classes, or of channels with a sigmoid.
     *
     * @throws dev.voxgrad.engine.ConfigException when they do not fit
     */
    default void requireClasses(int classes) {}

    /** The term at a point of the training; most are the same at every point. */
    default Term at(Progress progress) {
        return this;
    }
}
