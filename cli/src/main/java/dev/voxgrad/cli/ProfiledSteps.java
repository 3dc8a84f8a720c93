package dev.voxgrad.cli;

import dev.voxgrad.engine.plan.Plan;
import dev.voxgrad.engine.plan.PreparedCase;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.Spec.Target;

/** How many training steps are measured, and on batches of what size. */
final class ProfiledSteps {
    @Spec(Target.MIXEE)
    private CommandSpec command;

    private Optional<List<Integer>> patch = Optional.empty();
    private Optional<Integer> batch = Optional.empty();
    private int steps;
    private int warmUp;

    @Option(names = "--patch", paramLabel = "ZxYxX", description = "Another patch than the plan's, such as 64x64x64.")
    private void patch(String text) {
        require(
                text.matches("[1-9]\\d{0,4}(x[1-9]\\d{0,4}){2}"),
                "--patch is " + text + "; use three sizes such as 64x64x64");
        patch = Optional.of(Arrays.stream(text.split("x")).map(Integer::valueOf).toList());
    }

    @Option(names = "--batch", paramLabel = "N", description = "Another batch size than the plan's.")
    private void batch(int size) {
        require(size >= 1, "--batch is " + size + "; use at least 1");
        batch = Optional.of(size);
    }

    @Option(
            names = "--steps",
            paramLabel = "N",
            defaultValue = "20",
            description = "Measured steps. Default: ${DEFAULT-VALUE}.")
    private void steps(int count) {
        require(count >= 1, "--steps is " + count + "; use at least 1");
        steps = count;
    }

    @Option(
            names = "--warm-up",
            paramLabel = "N",
            defaultValue = "3",
            description = "Steps before them: the first ones take memory and compile. Default: ${DEFAULT-VALUE}.")
    private void warmUp(int count) {
        require(count >= 0, "--warm-up is " + count + "; use 0 or more");
        warmUp = count;
    }

    private void require(boolean holds, String message) {
        if (!holds) {
            throw new ParameterException(command.commandLine(), message);
        }
    }

    /** The plan with the given sizes. */
    Plan sized(Plan plan) {
        return plan.with(p -> {
            p.patchSize = patch.orElse(p.patchSize);
            p.batchSize = batch.orElse(p.batchSize);
        });
    }

    ProfiledTraining of(Plan plan, List<PreparedCase> cases) {
        return new ProfiledTraining(plan, cases, warmUp, steps);
    }
}
