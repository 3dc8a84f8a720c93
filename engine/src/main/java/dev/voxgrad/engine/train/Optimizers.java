package dev.voxgrad.engine.train;

import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.optim.AdamW;
import dev.voxgrad.engine.optim.Optimizer;
import dev.voxgrad.engine.optim.Ranger21;
import dev.voxgrad.engine.optim.Sgd;
import dev.voxgrad.engine.plan.Optimization;
import dev.voxgrad.engine.plan.Training;

/** The optimizers that a plan can name. */
final class Optimizers {
    private Optimizers() {}

    /** A new optimizer, before its first step. */
    static Optimizer of(Training training) {
        return switch (training.optimizer()) {
            case "sgd" -> sgd(training);
            case "adam" -> adam(training, false);
            case "adamw" -> adam(training, true);
            case "ranger21" -> ranger21(training);
            default ->
                throw new ConfigException("training.optimizer is " + training.optimizer() + ", which is unknown");
        };
    }

    private static Optimizer sgd(Training training) {
        Optimization o = training.optimization();
        boolean nesterov = o.nesterov() && training.momentum() > 0;
        return new Sgd(new Sgd.Settings(training.momentum(), nesterov, o.dampening(), training.weightDecay()));
    }

    private static Optimizer adam(Training training, boolean decoupled) {
        Optimization o = training.optimization();
        return new AdamW(
                new AdamW.Settings(o.beta1(), o.beta2(), o.eps(), training.weightDecay(), o.amsgrad(), decoupled));
    }

    private static Optimizer ranger21(Training training) {
        Optimization o = training.optimization();
        return new Ranger21(new Ranger21.Settings(o.beta1(), o.beta2(), o.eps(), training.weightDecay(), o.ranger21()));
    }
}
