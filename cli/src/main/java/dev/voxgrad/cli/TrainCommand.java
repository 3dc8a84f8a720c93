package dev.voxgrad.cli;

import dev.voxgrad.engine.OutputFolder;
import dev.voxgrad.engine.plan.Case;
import dev.voxgrad.engine.plan.Plan;
import dev.voxgrad.engine.plan.RawDataset;
import dev.voxgrad.engine.plan.Splits;
import dev.voxgrad.engine.tensor.Device;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code voxgrad train}: trains a network on a data set. */
@Command(
        name = "train",
        description = {
            "Trains a network on a data set in nnU-Net's raw layout (dataset.json, imagesTr, labelsTr).",
            "Without --plan, sizes of network and patches follow from the data; the plan is kept in the model folder."
        },
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        footerHeading = "%nExample:%n",
        footer = "  voxgrad train Dataset001_Brain --output model --epochs 100")
final class TrainCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private DeviceOptions device;

    @Mixin
    private PrecisionOption precision;

    @Mixin
    private PlanOptions plan;

    @Parameters(paramLabel = "DATASET", description = "Folder with dataset.json, imagesTr and labelsTr.")
    private Path dataset;

    @Option(
            names = {"-o", "--output"},
            required = true,
            paramLabel = "MODEL",
            description = "Folder of the model, made if it does not exist.")
    private Path model;

    @Option(
            names = "--fold",
            paramLabel = "N",
            defaultValue = "0",
            description = "Fold 0 to 4 of a five-fold cross-validation, or \"all\": train and validate on every case."
                    + " Data sets with fewer than five cases always use all. Default: ${DEFAULT-VALUE}.")
    private String fold;

    @Option(names = "--epochs", paramLabel = "N", description = "Number of epochs.")
    private Optional<Integer> epochs;

    @Option(names = "--seed", paramLabel = "N", description = "Seed of every random number.")
    private Optional<Long> seed;

    @Override
    public Integer call() throws Exception {
        PrintWriter out = spec.commandLine().getOut();
        checkOptions();
        OutputFolder.requireUsable(model);
        RawDataset raw = RawDataset.open(dataset);
        RawDataset.Checked checked = raw.check();
        raw.warnings().forEach(w -> out.println("note: " + w));
        checked.warnings().forEach(w -> out.println("note: " + w));
        Plan base = plan.of(dataset, raw, checked);
        Plan changed = base.withTraining(t -> {
            t.epochs = epochs.orElse(t.epochs);
            t.seed = seed.orElse(t.seed);
        });
        try (Device opened = device.open(precision.precision())) {
            new TrainingJob(out, model).start(changed, run(raw.cases()), opened);
        }
        out.println("model: " + model);
        return ExitCode.OK;
    }

    private void checkOptions() {
        require(fold.matches("all|[0-4]"), "--fold is " + fold + "; use 0 to 4 or all");
        epochs.ifPresent(n -> require(n >= 1, "--epochs is " + n + "; use at least 1"));
    }

    private void require(boolean holds, String message) {
        if (!holds) {
            throw new ParameterException(spec.commandLine(), message);
        }
    }

    private RunFile run(List<Case> cases) {
        List<String> ids = cases.stream().map(Case::id).toList();
        String folder = dataset.toAbsolutePath().normalize().toString();
        if (fold.equals("all") || ids.size() < 5) {
            return new RunFile(folder, ids, ids, precision.precision());
        }
        Splits.Fold split = Splits.crossValidation(ids, 5, Splits.SEED).get(Integer.parseInt(fold));
        return new RunFile(folder, split.train(), split.val(), precision.precision());
    }
}
