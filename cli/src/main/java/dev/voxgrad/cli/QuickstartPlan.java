package dev.voxgrad.cli;

import dev.voxgrad.engine.nn.NetworkSpec;
import dev.voxgrad.engine.nn.Networks;
import dev.voxgrad.engine.plan.DatasetDescription;
import dev.voxgrad.engine.plan.Outputs;
import dev.voxgrad.engine.plan.Plan;
import dev.voxgrad.engine.plan.Training;
import java.util.List;

/**
 * The plan of the quick start: a small network and AdamW, because SGD with momentum 0.99 does not get off the ground in so few
 * steps. The number of steps is fixed, not the time, so that every run gives the same bytes.
 */
final class QuickstartPlan {
    static final String NAME = "quickstart";
    static final int EPOCHS = 30;
    private static final int STEPS_PER_EPOCH = 50;

    private QuickstartPlan() {}

    static Plan of(DatasetDescription description, int epochs, long seed) {
        NetworkSpec network = Networks.plainUNet(
                description.channelNames().size(),
                description.labels().classes(),
                List.of(8, 16, 32),
                Networks.cubes(3, 3, 3),
                Networks.halvings(3, 3),
                true);
        Training training = Training.standard().with(t -> {
            t.optimizer = "adamw";
            t.learningRate = 3e-3;
            t.momentum = 0.9;
            t.weightDecay = 1e-2;
            t.warmUpEpochs = Math.min(1, epochs - 1);
            t.epochs = epochs;
            t.iterationsPerEpoch = STEPS_PER_EPOCH;
            t.validationIterations = 4;
            t.mirrorAxes = List.of();
            t.checkpointEvery = 10;
            t.seed = seed;
        });
        return new Plan(
                Plan.FORMAT_VERSION,
                NAME,
                description.channelNames(),
                List.of("zscore-nonzero"),
                description.labels().byName(),
                List.of(3.0, 3.0, 3.0),
                List.of(24, 32, 32),
                2,
                network,
                training,
                Outputs.SOFTMAX,
                List.of());
    }
}
