package dev.voxgrad.cli;

import dev.voxgrad.engine.plan.Plan;
import dev.voxgrad.engine.plan.Planner;
import dev.voxgrad.engine.plan.RawDataset;
import dev.voxgrad.engine.plan.Training;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.Spec.Target;

/** Where the plan of a training comes from. */
final class PlanOptions {
    @Spec(Target.MIXEE)
    private CommandSpec command;

    @Option(names = "--plan", paramLabel = "FILE", description = "A plan.json to train with.")
    private Optional<Path> plan;

    @Option(
            names = "--loss",
            paramLabel = "TEXT",
            description = "Loss, for example \"dice + ce\"; \"voxgrad gradcheck --list\" prints the names."
                    + " Also sets the network's output channels: a sigmoid loss has none for the background.")
    private Optional<String> loss;

    private double memory;

    @Option(
            names = "--memory",
            paramLabel = "GB",
            defaultValue = "4",
            description = "Memory that a proposed plan may need for training. Default: ${DEFAULT-VALUE}.")
    private void memory(double gigabytes) {
        if (!(gigabytes > 0)) {
            throw new ParameterException(
                    command.commandLine(), "--memory is " + gigabytes + "; use a positive number of GB");
        }
        memory = gigabytes;
    }

    /** The file of the plan, if one was given. */
    Optional<Path> file() {
        return plan;
    }

    /** The text of the loss, if one was given. */
    Optional<String> loss() {
        return loss;
    }

    /** The given plan, or one proposed for a data set, with the given loss. */
    Plan of(Path dataset, RawDataset raw, RawDataset.Checked checked) {
        return withLoss(plan.map(file -> PlanFile.read(file, raw.description()))
                .orElseGet(() -> Planner.propose(
                        dataset.toAbsolutePath().normalize().getFileName().toString(),
                        raw.description(),
                        checked.fingerprint(),
                        Training.standard(),
                        memory)));
    }

    /** A plan with the given loss and the outputs that it needs. */
    Plan withLoss(Plan base) {
        return loss.map(text ->
                        base.withTraining(t -> t.loss = text).withOutputs(PlanFile.outputs(text, base.labelNames())))
                .orElse(base);
    }
}
