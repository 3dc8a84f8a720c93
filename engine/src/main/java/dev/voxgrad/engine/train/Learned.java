package dev.voxgrad.engine.train;

import dev.voxgrad.engine.autograd.Gradients;
import dev.voxgrad.engine.nn.Parameters;
import dev.voxgrad.engine.optim.Optimizer;
import dev.voxgrad.engine.optim.WeightEma;
import dev.voxgrad.engine.plan.Training;
import java.util.Optional;

/**
 * What the steps of a training change.
 *
 * @param average of the weights, where the plan asks for one
 */
record Learned(Parameters parameters, Optimizer optimizer, Optional<WeightEma> average) {
    /** Before the first step: the average, if any, starts as a copy of the parameters. */
    static Learned of(Training training, Parameters parameters) {
        double decay = training.optimization().weightEma();
        return new Learned(
                parameters,
                Optimizers.of(training),
                decay > 0 ? Optional.of(new WeightEma(parameters.scope(), parameters, decay)) : Optional.empty());
    }

    /** One step of the optimizer and of the average. */
    void step(Gradients gradients, double lr, double gradientScale) {
        optimizer.step(parameters, gradients, lr, gradientScale);
        average.ifPresent(ema -> ema.update(parameters));
    }

    /** Something that uses the parameters. */
    interface Use<T, E extends Exception> {
        T get() throws E;
    }

    /** Runs something while the parameters hold the weights to predict with: the average where there is one. */
    <T, E extends Exception> T withPredictionWeights(Use<T, E> use) throws E {
        average.ifPresent(ema -> ema.swap(parameters));
        try {
            return use.get();
        } finally {
            average.ifPresent(ema -> ema.swap(parameters));
        }
    }
}
