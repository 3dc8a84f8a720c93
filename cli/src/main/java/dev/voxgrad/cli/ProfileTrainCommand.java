package dev.voxgrad.cli;

import dev.voxgrad.engine.plan.Case;
import dev.voxgrad.engine.plan.Plan;
import dev.voxgrad.engine.plan.Preprocessor;
import dev.voxgrad.engine.plan.RawDataset;
import dev.voxgrad.engine.profile.Profile;
import dev.voxgrad.engine.tensor.Device;
import java.nio.file.Path;
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
    private ProfiledSteps steps;

    @Mixin
    private ProfileOptions output;

    @Parameters(
            arity = "0..1",
            paramLabel = "DATASET",
            description = "Folder with dataset.json, imagesTr and labelsTr; up to " + MOST_CASES + " cases are used.")
    private Optional<Path> dataset;

    @Option(names = "--preset", paramLabel = "NAME", description = "unet64, unet2d or resenc64, with noise.")
    private Optional<ProfilePreset> preset;

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
            Plan plan = steps.sized(
                    planOptions.withLoss(preset.map(ProfilePreset::plan).orElseGet(this::planOfFile)));
            return steps.of(plan, SyntheticCases.of(plan));
        }
        RawDataset raw = RawDataset.open(dataset.get());
        Plan plan = steps.sized(planOptions.of(dataset.get(), raw, raw.check()));
        List<Case> cases = raw.cases().stream().limit(MOST_CASES).toList();
        return steps.of(plan, new Preprocessor(plan, opened).prepare(cases, c -> {}));
    }

    private Plan planOfFile() {
        return PlanFile.read(planOptions.file().orElseThrow(), "give the plan.json of a model");
    }
}
