package dev.voxgrad.cli;

import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.metric.Bootstrap;
import dev.voxgrad.engine.metric.EvaluationSettings;
import dev.voxgrad.engine.plan.DatasetDescription;
import java.util.concurrent.Callable;
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
    @Spec
    private CommandSpec spec;

    @Mixin
    private EvaluationFiles files;

    @Mixin
    private MetricOptions metrics;

    @Mixin
    private BootstrapOptions draws;

    @Mixin
    private EvaluationOutput output;

    @Option(
            names = "--threads",
            paramLabel = "N",
            defaultValue = "0",
            description = "CPU threads, 0 = all (default); cases run side by side. The number never changes results.")
    private int threads;

    @Override
    public Integer call() {
        DatasetDescription description = files.description();
        EvaluationSettings settings;
        Bootstrap bootstrap;
        try {
            EvaluationJob.requireThreads(threads);
            settings = metrics.settings(description.labels(), files.haveProbabilities());
            bootstrap = draws.bootstrap();
            files.requireBothProbabilities(settings);
        } catch (ConfigException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage());
        }
        output.requireUsable();
        String ending = description.fileEnding();
        EvaluationJob job =
                EvaluationJob.run(settings, bootstrap, files.cases(ending), files.otherCases(ending), threads);
        job.printWarnings(spec.commandLine().getErr());
        output.report(job, files.other(), spec.commandLine().getOut());
        return job.printFailures(spec.commandLine().getErr());
    }
}
