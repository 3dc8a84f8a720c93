package dev.voxgrad.cli;

import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.plan.DatasetDescription;
import dev.voxgrad.engine.plan.Plan;
import dev.voxgrad.losses.LabelCounts;
import dev.voxgrad.losses.LossContext;
import dev.voxgrad.losses.Losses;
import dev.voxgrad.losses.Regions;
import java.nio.file.Files;
import java.nio.file.Path;

/** A plan that the user gives. */
final class PlanFile {
    private PlanFile() {}

    /**
     * Reads a plan and checks it against the data set and the losses there are.
     *
     * @throws ConfigException naming the file, the key and what is valid
     */
    static Plan read(Path file, DatasetDescription data) {
        if (!Files.isRegularFile(file)) {
            throw new ConfigException(file + ": no such file; without --plan a plan is proposed");
        }
        Plan plan = Plan.read(file);
        requireEqual(file, "channelNames", plan.channelNames(), data, data.channelNames());
        requireEqual(file, "labels", plan.labels(), data, data.labels().byName());
        try {
            Losses.parse(plan.training().loss(), lossContext(plan));
        } catch (ConfigException e) {
            throw new ConfigException(file + ": training.loss: " + e.getMessage(), e);
        }
        return plan;
    }

    /**
     * What the loss of a plan is read for: the network has a channel for every class, background included, also for a sigmoid loss. As
     * long as nobody has counted labels all classes are as good as equally frequent.
     */
    static LossContext lossContext(Plan plan) {
        int classes = plan.labelNames().classes();
        return LossContext.of(classes)
                .withIgnoreLabel(plan.labelNames().ignore())
                .withCounts(LabelCounts.equal(classes))
                .withRegions(Regions.classes(classes));
    }

    private static void requireEqual(Path file, String key, Object planned, DatasetDescription data, Object present) {
        if (!planned.equals(present)) {
            throw new ConfigException(file + ": " + key + " is " + planned + ", " + data.file() + " says " + present
                    + "; use the plan of this data set, or none to have one proposed");
        }
    }
}
