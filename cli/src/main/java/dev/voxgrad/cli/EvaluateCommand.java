package dev.voxgrad.cli;

import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.OutputFolder;
import dev.voxgrad.engine.metric.Bootstrap;
import dev.voxgrad.engine.metric.CaseFiles;
import dev.voxgrad.engine.metric.Evaluation;
import dev.voxgrad.engine.metric.EvaluationSettings;
import dev.voxgrad.engine.metric.ScoreCsv;
import dev.voxgrad.engine.metric.SummaryJson;
import dev.voxgrad.engine.plan.DatasetDescription;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code voxgrad evaluate}: compares masks with references, and two models with each other. */
@Command(
        name = "evaluate",
        description = {
            "Scores masks against references of the same names: per case and label, with spread and confidence"
                    + " intervals.",
            "A case that fails is reported and does not hide the others."
        },
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        footerHeading = "%nExample:%n",
        footer = {
            "  voxgrad evaluate -p predictions -r labelsTs --dataset Dataset001_Brain -o summary.json",
            "  voxgrad evaluate -p predictions -r labelsTs --dataset model --metrics all --csv cases.csv",
            "  voxgrad evaluate -p predictions -r labelsTs --dataset model --compare other/predictions"
        })
final class EvaluateCommand implements Callable<Integer> {
    /** Warnings shown; the same one often holds for every case. */
    private static final int WARNINGS = 10;

    @Spec
    private CommandSpec spec;

    @Mixin
    private MetricOptions metrics;

    @Mixin
    private BootstrapOptions draws;

    private int threads;

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
            description = "Also write everything as JSON, with the keys of nnU-Net's summary.json.")
    private Optional<Path> output;

    @Option(names = "--csv", paramLabel = "FILE", description = "Also write one line per case and label as CSV.")
    private Optional<Path> csv;

    @Option(
            names = "--probabilities",
            paramLabel = "FOLDER",
            description = "Folder of the probabilities of the masks, for calibration: CASE.nii.gz with one channel per"
                    + " class, or CASE.safetensors with one tensor [class, z, y, x]; background is the first class.")
    private Optional<Path> probabilities;

    @Option(
            names = "--compare",
            paramLabel = "FOLDER",
            description = "Masks of another model: differences with intervals and p values, case by case.")
    private Optional<Path> other;

    @Option(names = "--compare-probabilities", paramLabel = "FOLDER", description = "Probabilities of the other model.")
    private Optional<Path> otherProbabilities;

    @Option(
            names = "--threads",
            paramLabel = "N",
            defaultValue = "0",
            description = "CPU threads, 0 = all (default); cases run side by side. The number never changes results.")
    private void threads(int count) {
        if (count < 0) {
            throw new ParameterException(spec.commandLine(), "--threads must be 0 (all) or more, not " + count);
        }
        threads = count;
    }

    @Option(names = "--partial", description = "Allow references without a mask.")
    private boolean partial;

    @Option(names = "--json", description = "Print the summary as JSON.")
    private boolean json;

    @Option(
            names = "--strict-json",
            description = "Write numbers that do not exist as null, not as the tokens NaN and Infinity.")
    private boolean strictJson;

    @Override
    public Integer call() {
        DatasetDescription description = DatasetDescription.read(dataset);
        String ending = description.fileEnding();
        EvaluationSettings settings;
        Bootstrap bootstrap;
        try {
            settings = metrics.settings(description.labels(), probabilities.isPresent());
            bootstrap = draws.bootstrap();
            requireBothProbabilities(settings);
        } catch (ConfigException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage());
        }
        // An evaluation may take hours; that its files cannot be written is said before.
        Stream.of(output, csv)
                .flatMap(Optional::stream)
                .forEach(
                        file -> OutputFolder.requireUsable(file.toAbsolutePath().getParent()));
        EvaluationJob job = EvaluationJob.run(
                settings,
                bootstrap,
                cases(predictions, probabilities, ending),
                other.map(folder -> cases(folder, otherProbabilities, ending)),
                threads);
        PrintWriter err = spec.commandLine().getErr();
        List<String> warnings = job.warnings();
        warnings.stream().limit(WARNINGS).forEach(w -> err.println("voxgrad: warning: " + w));
        if (warnings.size() > WARNINGS) {
            err.println("voxgrad: and " + (warnings.size() - WARNINGS) + " more warnings");
        }
        if (!job.first().summary().cases().isEmpty()) {
            report(job, spec.commandLine().getOut());
        }
        return failures(job.failed(), err);
    }

    private void requireBothProbabilities(EvaluationSettings settings) {
        if (otherProbabilities.isPresent() && other.isEmpty()) {
            throw new ConfigException("--compare-probabilities needs --compare, the masks of the other model");
        }
        if (settings.needsProbabilities() && other.isPresent() && otherProbabilities.isEmpty()) {
            throw new ConfigException("--metrics asks for calibration; give the other model's probabilities with"
                    + " --compare-probabilities");
        }
    }

    private List<CaseFiles> cases(Path folder, Optional<Path> withProbabilities, String ending) {
        List<CaseFiles> cases = CaseFiles.pair(folder, references, ending, !partial);
        return withProbabilities
                .map(p -> CaseFiles.withProbabilities(cases, p, ending))
                .orElse(cases);
    }

    private void report(EvaluationJob job, PrintWriter out) {
        SummaryJson text = job.json(strictJson, other);
        Stream.of(output, csv)
                .flatMap(Optional::stream)
                .forEach(file -> OutputFolder.create(file.toAbsolutePath().getParent()));
        output.ifPresent(text::write);
        csv.ifPresent(file -> ScoreCsv.write(job.first().summary(), file));
        if (json) {
            out.println(text);
            return;
        }
        EvaluationTable.print(job.first().summary(), job.bootstrap(), out);
        job.comparison().ifPresent(c -> {
            out.println();
            EvaluationTable.print(c, job.bootstrap(), out);
        });
    }

    /** Lists the cases that failed; a defect or a lack of memory outweighs bad input. */
    private static int failures(List<Evaluation.Failed> failed, PrintWriter err) {
        int code = ExitCode.OK;
        for (Evaluation.Failed f : failed) {
            Failure failure = Failure.of(f.error());
            err.println("voxgrad: case " + f.files().id() + " failed: " + failure.message());
            code = code == ExitCode.FAILURE ? code : failure.exitCode();
        }
        if (failed.size() > 1) {
            err.println("voxgrad: " + failed.size() + " cases failed");
        }
        return code;
    }
}
