package dev.voxgrad.cli;

import dev.voxgrad.engine.metric.DiceEvaluator;
import dev.voxgrad.engine.metric.Summary;
import dev.voxgrad.engine.plan.DatasetDescription;
import dev.voxgrad.engine.plan.LabelNames;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code voxgrad evaluate}: compares masks with references. */
@Command(
        name = "evaluate",
        description = "Dice per case and class of masks against references of the same names.",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        footerHeading = "%nExample:%n",
        footer = "  voxgrad evaluate -p predictions -r labelsTs --dataset Dataset001_Brain -o summary.json")
final class EvaluateCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Option(
            names = {"-p", "--predictions"},
            required = true,
            paramLabel = "FOLDER",
            description = "Folder of masks.")
    private Path predictions;

    @Option(
            names = {"-r", "--references"},
            required = true,
            paramLabel = "FOLDER",
            description = "Folder of reference labels.")
    private Path references;

    @Option(
            names = "--dataset",
            required = true,
            paramLabel = "FOLDER",
            description = "Folder whose dataset.json names the labels: a data set or a model.")
    private Path dataset;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "FILE",
            description = "Also write the summary as JSON.")
    private Optional<Path> output;

    @Option(names = "--partial", description = "Allow references without a mask.")
    private boolean partial;

    @Option(names = "--json", description = "Print the summary as JSON.")
    private boolean json;

    @Option(names = "--strict-json", description = "Write numbers that do not exist as null, not as the token NaN.")
    private boolean strictJson;

    @Override
    public Integer call() {
        DatasetDescription description = DatasetDescription.read(dataset);
        Summary summary = new DiceEvaluator(description.labels())
                .evaluateFolders(predictions, references, description.fileEnding(), !partial);
        output.ifPresent(file -> summary.write(file, strictJson));
        PrintWriter out = spec.commandLine().getOut();
        if (json) {
            out.println(summary.toJson(strictJson));
        } else {
            print(summary, description.labels(), out);
        }
        return ExitCode.OK;
    }

    static void print(Summary summary, LabelNames names, PrintWriter out) {
        int width = summary.labels().stream()
                        .mapToInt(l -> names.name(l).length())
                        .max()
                        .orElse(5)
                + 2;
        out.printf("%-" + width + "s %8s %8s%n", "label", "Dice", "IoU");
        for (int label : summary.labels()) {
            out.printf(
                    "%-" + width + "s %8s %8s%n",
                    names.name(label),
                    number(summary.mean(label, "Dice")),
                    number(summary.mean(label, "IoU")));
        }
        out.printf(
                "%-" + width + "s %8s %8s%n",
                "mean",
                number(summary.foregroundMean("Dice")),
                number(summary.foregroundMean("IoU")));
    }

    private static String number(double value) {
        return Double.isNaN(value) ? "-" : "%.4f".formatted(value);
    }
}
