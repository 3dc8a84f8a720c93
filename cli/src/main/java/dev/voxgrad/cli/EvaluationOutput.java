package dev.voxgrad.cli;

import dev.voxgrad.engine.OutputFolder;
import dev.voxgrad.engine.metric.ScoreCsv;
import dev.voxgrad.engine.metric.SummaryJson;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Stream;
import picocli.CommandLine.Option;

/** Where the scores of {@code evaluate} go. */
final class EvaluationOutput {
    @Option(
            names = {"-o", "--output"},
            paramLabel = "FILE",
            description = "Also write everything as JSON, with the keys of nnU-Net's summary.json.")
    private Optional<Path> output;

    @Option(names = "--csv", paramLabel = "FILE", description = "Also write one line per case and label as CSV.")
    private Optional<Path> csv;

    @Option(names = "--json", description = "Print the summary as JSON.")
    private boolean json;

    @Option(
            names = "--strict-json",
            description = "Write numbers that do not exist as null, not as the tokens NaN and Infinity.")
    private boolean strictJson;

    /**
     * An evaluation may take hours; that its files cannot be written is said before.
     *
     * @throws dev.voxgrad.engine.DataException naming what is in the way
     */
    void requireUsable() {
        forEachFolder(OutputFolder::requireUsable);
    }

    private void forEachFolder(Consumer<Path> action) {
        Stream.of(output, csv)
                .flatMap(Optional::stream)
                .forEach(file -> action.accept(file.toAbsolutePath().getParent()));
    }

    /** Writes the files and prints the tables; nothing if every case failed. */
    void report(EvaluationJob job, Optional<Path> other, PrintWriter out) {
        if (job.first().summary().cases().isEmpty()) {
            return;
        }
        SummaryJson text = job.json(strictJson, other);
        forEachFolder(OutputFolder::create);
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
}
