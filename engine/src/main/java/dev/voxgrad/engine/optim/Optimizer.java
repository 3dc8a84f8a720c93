package dev.voxgrad.engine.optim;

import dev.voxgrad.engine.autograd.Gradients;
import dev.voxgrad.engine.nn.Parameters;

/**
 * Changes parameters by their gradients. A parameter without a gradient is left alone, as PyTorch does. Steps are counted once for all
 * parameters, PyTorch counts those of each: the same where a parameter has a gradient in every step or in none, and so it is in
 * training, because an output that has no weight in the loss has none from the first step to the last.
 */
public interface Optimizer {
    /**
     * One step in one fused pass over all parameters.
     *
     * @param lr learning rate of this step
     * @param gradientScale factor for every gradient, for example the clip factor; the gradients stay as they are
     */
    void step(Parameters parameters, Gradients gradients, double lr, double gradientScale);

    /** What a checkpoint must hold so that the next step is the same to the bit. */
    OptimizerState state();
}
