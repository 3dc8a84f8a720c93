package dev.voxgrad.cli;

import dev.voxgrad.cli.data.BrainDataset;
import dev.voxgrad.cli.data.DebianPackage;
import dev.voxgrad.cli.report.HtmlReport;
import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.DataException;
import dev.voxgrad.engine.OutputFolder;
import dev.voxgrad.engine.metric.CaseFiles;
import dev.voxgrad.engine.metric.Evaluation;
import dev.voxgrad.engine.metric.EvaluationSettings;
import dev.voxgrad.engine.metric.Summary;
import dev.voxgrad.engine.metric.SummaryJson;
import dev.voxgrad.engine.plan.Case;
import dev.voxgrad.engine.plan.DatasetDescription;
import dev.voxgrad.engine.plan.Plan;
import dev.voxgrad.engine.tensor.Device;
import dev.voxgrad.engine.train.ModelFolder;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code voxgrad quickstart}: the whole way once, in minutes, on a real brain. */
@Command(
        name = "quickstart",
        description = {
            "Trains a 3D U-Net on one hemisphere of a real brain MR, predicts the other one, which it never saw,"
                    + " evaluates,",
            "and writes a report: about three minutes on two cores. The same command gives the same bytes again."
        },
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        footerHeading = "%nExample:%n",
        footer = "  voxgrad quickstart --output my-first-model")
final class QuickstartCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private DeviceOptions device;

    @Mixin
    private PrecisionOption precision;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "FOLDER",
            defaultValue = "voxgrad-quickstart",
            description =
                    "Folder of everything that is made; a quick start in it is repeated. Default: ${DEFAULT-VALUE}.")
    private Path output;

    @Option(
            names = "--epochs",
            paramLabel = "N",
            description = "Epochs of 50 steps. Default: " + QuickstartPlan.EPOCHS + ".")
    private int epochs = QuickstartPlan.EPOCHS;

    @Option(names = "--seed", paramLabel = "N", defaultValue = "1234", description = "Seed. Default: ${DEFAULT-VALUE}.")
    private long seed;

    @Option(names = "--phantom", description = "Use the drawn phantom instead of the real scan.")
    private boolean phantom;

    @Override
    public Integer call() throws Exception {
        if (epochs < 1) {
            throw new CommandLine.ParameterException(spec.commandLine(), "--epochs must be at least 1, not " + epochs);
        }
        long start = System.nanoTime();
        PrintWriter out = spec.commandLine().getOut();
        Path model = output.resolve("model");
        clear(new ModelFolder(model), out);
        Path predictions = output.resolve("predictions");
        OutputFolder.create(predictions);
        BrainDataset data =
                BrainDataset.write(output.toAbsolutePath().normalize(), 3, phantom, DebianPackage.apt(), out::println);
        out.println("data: " + data.source());
        DatasetDescription description = DatasetDescription.read(data.folder());
        Plan plan = QuickstartPlan.of(description, epochs, seed);
        List<String> training = List.of(BrainDataset.TRAINING_CASE);
        List<Case> cases = Case.scan(data.folder().resolve("imagesTs"), description.fileEnding());
        String machine;
        try (Device opened = device.open(precision.precision())) {
            RunFile run = new RunFile(data.folder().toString(), training, training, opened.precision());
            new TrainingJob(out, model).start(plan, run, opened);
            machine = QuickstartReport.describe(opened);
            for (PredictionJob.Result r : PredictionJob.run(
                    model,
                    cases,
                    predictions,
                    description.fileEnding(),
                    PredictionJob.Settings.DEFAULT,
                    opened,
                    (done, total) -> {})) {
                if (r.error() != null) {
                    throw new DataException(r.id() + ": " + r.error());
                }
                out.printf("predicted %s in %.1f s%n", r.output(), r.seconds());
            }
        }
        List<CaseFiles> scored =
                CaseFiles.pair(predictions, data.folder().resolve("labelsTs"), description.fileEnding(), true);
        Summary summary = Evaluation.run(scored, EvaluationSettings.standard(description.labels()), 0, () -> {})
                .orThrow();
        new SummaryJson(summary, false).write(output.resolve("summary.json"));
        EvaluationTable.printMeans(summary, out);
        double seconds = (System.nanoTime() - start) / 1e9;
        Path report = output.resolve("report.html");
        HtmlReport.write(
                report, new QuickstartReport(data, new ModelFolder(model), cases, summary, machine, seconds).toData());
        out.printf("mean foreground Dice on the unseen hemisphere: %.3f%n", summary.foregroundMean("Dice"));
        out.printf("all files are in %s (%.0f s); open %s%n", output, seconds, report);
        return ExitCode.OK;
    }

    /** A quick start may be repeated: it gives the same bytes again. Any other model stays untouched. */
    private static void clear(ModelFolder model, PrintWriter out) {
        if (!Files.exists(model.path())) {
            return;
        }
        if (!Files.exists(model.plan()) || !model.readPlan().name().equals(QuickstartPlan.NAME)) {
            throw new ConfigException(model.path() + " holds another model; give another --output");
        }
        out.println("starting over in " + model.path());
        model.clear();
    }
}
