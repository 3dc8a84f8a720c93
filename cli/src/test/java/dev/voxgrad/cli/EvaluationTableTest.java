package dev.voxgrad.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.voxgrad.engine.metric.Bootstrap;
import dev.voxgrad.engine.metric.CaseFiles;
import dev.voxgrad.engine.metric.CaseScore;
import dev.voxgrad.engine.metric.Confusion;
import dev.voxgrad.engine.metric.Region;
import dev.voxgrad.engine.metric.Summary;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The word "mean" is the same number in each table and in the JSON. */
class EvaluationTableTest {
    private static final Region A = Region.ofLabel(1, "a");
    private static final Region B = Region.ofLabel(2, "b");
    private static final Region WHOLE = Region.ofLabels("whole", List.of(1, 2));

    /** Dice of a: 2/3; of b: 1/2, or none. */
    private static Summary summary(boolean withB, Region... regions) {
        Map<String, Confusion> counts = Map.of(
                A.key(),
                new Confusion(1, 1, 0, 0),
                B.key(),
                withB ? new Confusion(1, 2, 0, 0) : Confusion.ZERO,
                WHOLE.key(),
                new Confusion(9, 0, 0, 0));
        CaseFiles files = new CaseFiles("c", Path.of("p"), Path.of("r"), Optional.empty());
        CaseScore score = new CaseScore(files, counts, Map.of(), Map.of(), List.of());
        return new Summary(List.of(regions), List.of("Dice"), List.of(score));
    }

    private static List<String> print(Consumer<PrintWriter> table) {
        StringWriter text = new StringWriter();
        PrintWriter out = new PrintWriter(text);
        table.accept(out);
        out.flush();
        return text.toString().lines().toList();
    }

    private static List<String> spread(Summary summary, double level) {
        Bootstrap bootstrap = new Bootstrap(100, level, 1, Bootstrap.Method.BCA);
        return print(out -> EvaluationTable.print(summary, bootstrap, out));
    }

    private static List<String> means(Summary summary) {
        return print(out -> EvaluationTable.printMeans(summary, out));
    }

    @Test
    void meanIsOverLabelsAndNotOverRegions() {
        assertThat(spread(summary(true, A, B, WHOLE), 0.95))
                .hasSize(5)
                .element(4)
                .asString()
                .matches("Dice +mean +0\\.5833");
        assertThat(means(summary(true, A, B, WHOLE))).last().asString().matches("mean +0\\.5833 +0\\.4167");
        assertThat(spread(summary(true, A, WHOLE), 0.95)).hasSize(3).noneMatch(line -> line.startsWith("Dice  mean"));
    }

    @Test
    void meanThatDoesNotExistIsFollowedByThatOfTheOthers() {
        List<String> lines = spread(summary(false, A, B), 0.95);
        assertThat(lines.get(3)).matches("Dice +mean +-");
        assertThat(lines.get(4)).matches("Dice +mean of defined labels +0\\.6667");
        List<String> means = means(summary(false, A, B));
        assertThat(means.get(3)).matches("mean +- +-");
        assertThat(means.get(4)).matches("mean of defined labels +0\\.6667 +0\\.5000");
    }

    @ParameterizedTest
    @CsvSource({"0.95, 95 %", "0.5, 50 %", "0.999, 99.9 %", "0.9999, 99.99 %", "0.12345, 12.345 %"})
    void levelIsNeverRounded(double level, String shown) {
        assertThat(spread(summary(true, A), level).getFirst()).contains("  " + shown + " CI of mean");
    }
}
