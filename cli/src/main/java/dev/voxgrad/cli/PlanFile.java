package dev.voxgrad.cli;

import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.op.Loss;
import dev.voxgrad.engine.op.Regions;
import dev.voxgrad.engine.plan.DatasetDescription;
import dev.voxgrad.engine.plan.LabelNames;
import dev.voxgrad.engine.plan.LabelRegion;
import dev.voxgrad.engine.plan.Outputs;
import dev.voxgrad.engine.plan.Plan;
import dev.voxgrad.losses.LabelCounts;
import dev.voxgrad.losses.LossContext;
import dev.voxgrad.losses.Losses;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;

/** A plan that the user gives. */
final class PlanFile {
    private PlanFile() {}

    /**
     * Reads a plan and checks it against the data set and the losses there are.
     *
     * @throws ConfigException naming the file, the key and what is valid
     */
    static Plan read(Path file, DatasetDescription data) {
        Plan plan = read(file, "without --plan a plan is proposed");
        requireEqual(file, "channelNames", plan.channelNames(), data, data.channelNames());
        requireEqual(file, "labels", plan.labels(), data, data.labels().byName());
        requireEqual(file, "regions", plan.regions(), data, data.labels().regions());
        try {
            loss(plan, lossContext(plan));
        } catch (ConfigException e) {
            throw new ConfigException(file + ": training.loss: " + e.getMessage(), e);
        }
        return plan;
    }

    /**
     * Reads a plan.
     *
     * @param otherwise what to do when there is no such file
     * @throws ConfigException naming the file, the key and what is valid
     */
    static Plan read(Path file, String otherwise) {
        if (!Files.isRegularFile(file)) {
            throw new ConfigException(file + ": no such file; " + otherwise);
        }
        return Plan.read(file);
    }

    /**
     * The outputs that a loss needs: sigmoid if its text speaks of sigmoid probabilities.
     *
     * @throws ConfigException when there are regions and it does not, or the text is wrong
     */
    static Outputs outputs(String loss, LabelNames names) {
        boolean sigmoid = Losses.isSigmoid(loss);
        if (!sigmoid && names.hasRegions()) {
            throw new ConfigException("loss \"" + loss + "\" is for labels that exclude each other, but the regions "
                    + names.regions().stream().map(LabelRegion::name).toList()
                    + " may overlap; use a loss of sigmoid probabilities, such as \"dice + bce\"");
        }
        return sigmoid ? Outputs.SIGMOID : Outputs.SOFTMAX;
    }

    /**
     * Reads the loss of a plan.
     *
     * @throws ConfigException when its text is wrong or needs other outputs than the plan's
     */
    static Loss loss(Plan plan, LossContext context) {
        String text = plan.training().loss();
        Outputs needed = outputs(text, plan.labelNames());
        if (plan.outputs() != needed) {
            throw new ConfigException("loss \"" + text + "\" needs the outputs " + needed + ", the plan has "
                    + plan.outputs() + "; train with a plan that has \"outputs\": \"" + needed
                    + "\" and network.classes " + needed.channels(plan.labelNames()) + ", or choose another loss");
        }
        return Losses.parse(text, context);
    }

    /** What the loss of a plan is read for. As long as nobody has counted labels all classes are as good as equally frequent. */
    static LossContext lossContext(Plan plan) {
        int channels = plan.network().classes();
        return LossContext.of(channels)
                .withIgnoreLabel(plan.labelNames().ignore())
                .withCounts(LabelCounts.equal(channels))
                .withRegions(regions(plan, channels));
    }

    /** What the channels are in a map of labels. */
    private static Regions regions(Plan plan, int channels) {
        if (!plan.regions().isEmpty()) {
            return new Regions(plan.regions().stream()
                    .map(region -> Set.copyOf(region.labels()))
                    .toList());
        }
        return plan.outputs() == Outputs.SIGMOID ? Regions.foreground(channels) : Regions.classes(channels);
    }

    private static void requireEqual(Path file, String key, Object planned, DatasetDescription data, Object present) {
        if (!planned.equals(present)) {
            throw new ConfigException(file + ": " + key + " is " + planned + ", " + data.file() + " says " + present
                    + "; use the plan of this data set, or none to have one proposed");
        }
    }
}
