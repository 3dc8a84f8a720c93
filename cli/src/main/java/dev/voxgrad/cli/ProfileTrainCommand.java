package dev.voxgrad.cli;

import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.plan.Case;
import dev.voxgrad.engine.plan.Plan;
import dev.voxgrad.engine.plan.PreparedCase;
import dev.voxgrad.engine.plan.Preprocessor;
import dev.voxgrad.engine.plan.RawDataset;
import dev.voxgrad.engine.profile.Profile;
import dev.voxgrad.engine.tensor.Device;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code voxgrad profile train}: where the time of training steps goes. */
@Command(
        name = "train",
        description = {
            "Measures training steps as \"voxgrad train\" does them: on the cases of a data set, or, without one, on noise",
            "for the network of --plan or --preset. Nothing of the training is kept."
        },
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        footerHeading = "%nExample:%n",
        footer = "  voxgrad profile train --plan model/plan.json --patch 96x96x96 --steps 5")
final class ProfileTrainCommand implements Callable<Integer> {
    /** Cases of a data set that are read: patches of a few are as good as those of all. */
    private static final int MOST_CASES = 4;

    @Spec
    private CommandSpec spec;

    @Mixin
    private DeviceOptions device;

    @Mixin
    private PrecisionOption precision;

    @Mixin
    private PlanOptions planOptions;

    @Mixin
    private ProfileOptions output;

    @Parameters(
            arity = "0..1",
            paramLabel = "DATASET",
            description = "Folder with dataset.json, imagesTr and labelsTr; up to " + MOST_CASES + " cases are used.")
    private Optional<Path> dataset;

    @Option(names = "--preset", paramLabel = "NAME", description = "unet64, unet2d or resenc64, with noise.")
    private Optional<ProfilePreset> preset;

    @Option(names = "--patch", paramLabel = "ZxYxX", description = "Another patch than the plan's, such as 64x64x64.")
    private Optional<String> patch;

    @Option(names = "--batch", paramLabel = "N", description = "Another batch size than the plan's.")
    private Optional<Integer> batch;

    @Option(
            names = "--steps",
            paramLabel = "N",
            defaultValue = "20",
            description = "Measured steps. Default: ${DEFAULT-VALUE}.")
    private int steps;

    @Option(
            names = "--warm-up",
            paramLabel = "N",
            defaultValue = "3",
            description = "Steps before them: the first ones take memory and compile. Default: ${DEFAULT-VALUE}.")
    private int warmUp;

    @Override
    public Integer call() throws Exception {
        checkOptions();
        output.requireWritable();
        try (Device opened = device.open(precision.precision());
                ScratchFolder scratch = ScratchFolder.make()) {
            ProfiledTraining training = training(opened);
            Profile profile = training.run(opened, scratch.path());
            String title = "profile of train: " + training.plan().name();
            Map<String, String> facts =
                    training.facts(dataset.map(Path::toString).orElse("noise"));
            output.report(ProfileResult.of(title, "step", facts, opened, profile));
        }
        return ExitCode.OK;
    }

    private void checkOptions() {
        require(steps >= 1, "--steps is " + steps + "; use at least 1");
        require(warmUp >= 0, "--warm-up is " + warmUp + "; use 0 or more");
        require(batch.isEmpty() || batch.get() >= 1, "--batch is " + batch.orElse(0) + "; use at least 1");
        require(
                patch.isEmpty() || patch.get().matches("[1-9]\\d{0,4}(x[1-9]\\d{0,4}){2}"),
                "--patch is " + patch.orElse("") + "; use three sizes such as 64x64x64");
        require(
                dataset.isPresent() || preset.isPresent() || planOptions.file().isPresent(),
                "nothing to profile; give a DATASET, --plan or --preset");
        require(
                preset.isEmpty() || (dataset.isEmpty() && planOptions.file().isEmpty()),
                "--preset brings its own plan and data; leave DATASET and --plan out");
    }

    private void require(boolean holds, String message) {
        if (!holds) {
            throw new ParameterException(spec.commandLine(), message);
        }
    }

    private ProfiledTraining training(Device opened) {
        if (dataset.isEmpty()) {
            Plan plan =
                    sized(planOptions.withLoss(preset.map(ProfilePreset::plan).orElseGet(this::planOfFile)));
            return new ProfiledTraining(plan, SyntheticCases.of(plan), warmUp, steps);
        }
        RawDataset raw = RawDataset.open(dataset.get());
        Plan plan = sized(planOptions.of(dataset.get(), raw, raw.check()));
        List<Case> cases = raw.cases().stream().limit(MOST_CASES).toList();
        List<PreparedCase> prepared = new Preprocessor(plan, opened).prepare(cases, c -> {});
        return new ProfiledTraining(plan, prepared, warmUp, steps);
    }

    private Plan planOfFile() {
        Path file = planOptions.file().orElseThrow();
        if (!Files.isRegularFile(file)) {
            throw new ConfigException(file + ": no such file; give the plan.json of a model");
        }
        return Plan.read(file);
    }

    private Plan sized(Plan plan) {
        List<Integer> sizes = patch.map(text ->
                        Arrays.stream(text.split("x")).map(Integer::valueOf).toList())
                .orElse(plan.patchSize());
        return plan.with(p -> {
            p.patchSize = sizes;
            p.batchSize = batch.orElse(p.batchSize);
        });
    }
}
