package dev.voxgrad.engine.optim;

import dev.voxgrad.engine.autograd.Gradients;
import dev.voxgrad.engine.nn.Parameters;
import dev.voxgrad.engine.tensor.Tensor;
import java.util.Map;

/**
 * Changes parameters by their gradients. A parameter without a gradient is left alone, as PyTorch does.
 *
 * <p>A checkpoint holds {@link #state} and {@link #steps}; to resume, copy saved values into the tensors of {@link #state} and call
 * {@link #resume}.
 */
public interface Optimizer {
    /**
     * One step in one fused pass over all parameters.
     *
     * @param lr learning rate of this step
     * @param gradientScale factor for every gradient, for example the clip factor; the gradients stay as they are
     */
    void step(Parameters parameters, Gradients gradients, double lr, double gradientScale);

    /**
     * The state tensors by name, for example {@code momentum.encoder.stages.0.0.convs.0.conv.weight}; each has the shape of its
     * parameter and lives in the parameters' scope. Zero before the first step.
     */
    Map<String, Tensor> state(Parameters parameters);

    /** Number of steps done. */
    long steps();

    /** Continues after a number of steps with the values that {@link #state} holds now. */
    void resume(long steps);
}
