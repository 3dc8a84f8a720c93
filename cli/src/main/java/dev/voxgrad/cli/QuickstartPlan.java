package dev.voxgrad.cli;

import dev.voxgrad.engine.nn.NetworkSpec;
import dev.voxgrad.engine.plan.DatasetDescription;
import dev.voxgrad.engine.plan.Intensity;
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
        List<Integer> cube = List.of(3, 3, 3);
        List<Integer> half = List.of(2, 2, 2);
        NetworkSpec network = NetworkSpec.plainUNet(
                description.channelNames().size(),
                description.labels().classes(),
                List.of(8, 16, 32),
                List.of(cube, cube, cube),
                List.of(List.of(1, 1, 1), half, half),
                true);
        Training training = new Training(
                "dice + ce",
                "adamw",
                3e-3,
                0.9,
                1e-2,
                "poly",
                Math.min(1, epochs - 1),
                epochs,
                STEPS_PER_EPOCH,
                4,
                12,
                0.33,
                List.of(),
                Intensity.standard(),
                true,
                0,
                10,
                seed);
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
                training);
    }
}
