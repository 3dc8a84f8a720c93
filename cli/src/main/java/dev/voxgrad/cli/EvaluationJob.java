package dev.voxgrad.cli;

import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.metric.Bootstrap;
import dev.voxgrad.engine.metric.CaseFiles;
import dev.voxgrad.engine.metric.Comparison;
import dev.voxgrad.engine.metric.Evaluation;
import dev.voxgrad.engine.metric.EvaluationSettings;
import dev.voxgrad.engine.metric.Summary;
import dev.voxgrad.engine.metric.SummaryJson;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Scores the predictions of a model, and those of another one if there is one to compare with.
 *
 * @param first scores of the model
 * @param second scores of the other one
 * @param comparison of the two
 */
record EvaluationJob(
        EvaluationSettings settings,
        Bootstrap bootstrap,
        Evaluation first,
        Optional<Evaluation> second,
        Optional<Comparison> comparison) {
    /** Warnings shown; the same one often holds for every case. */
    private static final int WARNINGS = 10;

    /**
     * Checks the number of threads.
     *
     * @throws ConfigException when it is negative
     */
    static void requireThreads(int threads) {
        if (threads < 0) {
            throw new ConfigException("--threads must be 0 (all) or more, not " + threads);
        }
    }

    /** Scores all cases with a bar of progress. */
    static EvaluationJob run(
            EvaluationSettings settings,
            Bootstrap bootstrap,
            List<CaseFiles> cases,
            Optional<List<CaseFiles>> others,
            int threads) {
        long steps = (long) cases.size() + others.map(List::size).orElse(0);
        try (Progress progress = Progress.start("evaluate", steps, "cases")) {
            Evaluation first = Evaluation.run(cases, settings, threads, progress::step);
            Optional<Evaluation> second = others.map(o -> Evaluation.run(o, settings, threads, progress::step));
            return new EvaluationJob(
                    settings,
                    bootstrap,
                    first,
                    second,
                    second.map(s -> Comparison.of(first.summary(), s.summary(), settings.directions(), bootstrap)));
        }
    }

    /** Prints what is odd about files, up to ten lines. */
    void printWarnings(PrintWriter err) {
        List<String> warnings = warnings();
        warnings.stream().limit(WARNINGS).forEach(w -> err.println("voxgrad: warning: " + w));
        if (warnings.size() > WARNINGS) {
            err.println("voxgrad: and " + (warnings.size() - WARNINGS) + " more warnings");
        }
    }

    /**
     * Lists the cases that failed.
     *
     * @return the exit code; a defect or a lack of memory outweighs bad input
     */
    int printFailures(PrintWriter err) {
        int code = ExitCode.OK;
        for (Evaluation.Failed f : failed()) {
            Failure failure = Failure.of(f.error());
            err.println("voxgrad: case " + f.files().id() + " failed: " + failure.message());
            code = code == ExitCode.FAILURE ? code : failure.exitCode();
        }
        if (failed().size() > 1) {
            err.println("voxgrad: " + failed().size() + " cases failed");
        }
        return code;
    }

    /** The cases that could not be scored. */
    private List<Evaluation.Failed> failed() {
        return Stream.concat(first.failed().stream(), second.stream().flatMap(s -> s.failed().stream()))
                .toList();
    }

    /** What is odd about files, each once. */
    private List<String> warnings() {
        return Stream.concat(Stream.of(first), second.stream())
                .flatMap(e -> e.summary().cases().stream())
                .flatMap(c -> c.warnings().stream())
                .distinct()
                .toList();
    }

    /** Everything, as JSON. */
    SummaryJson json(boolean strict, Optional<Path> other) {
        Summary summary = first.summary();
        SummaryJson json = new SummaryJson(summary, strict)
                .withStatistics(settings.columns(), bootstrap)
                .withCalibration();
        comparison.ifPresent(c -> json.withComparison(c, other.orElseThrow()));
        Map<String, Object> recorded = new LinkedHashMap<>(settings.toJson());
        recorded.put("bootstrap", bootstrap.toJson());
        json.with("settings", recorded);
        json.with("failed", failed().stream().map(EvaluationJob::failure).toList());
        return json;
    }

    private static Map<String, String> failure(Evaluation.Failed failed) {
        Map<String, String> entry = new LinkedHashMap<>();
        entry.put("prediction_file", failed.files().prediction().toString());
        entry.put("reference_file", failed.files().reference().toString());
        entry.put("error", Failure.of(failed.error()).message());
        return entry;
    }
}
