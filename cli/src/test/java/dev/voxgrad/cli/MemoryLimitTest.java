package dev.voxgrad.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.voxgrad.engine.plan.Plan;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A run that cannot fit into {@code --memory-limit} is refused before it starts, with the number needed. */
final class MemoryLimitTest {
    @TempDir
    private Path folder;

    private CommandFolder work;

    @BeforeEach
    void largePatch() {
        work = CommandFolder.of(folder);
        work.data().plan(List.of(48, 48, 48)).write(work.data().planFile());
    }

    @Test
    void trainingIsRefusedWithTheNumberNeeded() throws IOException {
        List<Path> before = work.tree();
        work.assertRefused(
                work.train("--memory-limit", "5M"),
                before,
                "the training needs",
                "the limit is 5 MB",
                "--memory-limit ",
                "batchSize 1 (needs ",
                "patchSize");
    }

    @Test
    void trainingComputesFeatureMapsAgainAndSaysSo() {
        int needed = number(work.train("--memory-limit", "5M").err(), "--memory-limit (\\d+)M");
        CommandRun run = work.train("--memory-limit", needed + "M");
        assertThat(run.err()).isEmpty();
        assertThat(run.exitCode()).isEqualTo(ExitCode.OK);
        assertThat(run.out().lines().filter(line -> line.startsWith("note: recomputing feature maps")))
                .hasSize(1);
        assertThat(Plan.read(work.model().resolve("plan.json")).toJson()).contains("\"recompute\" : \"stages\"");
    }

    @Test
    void predictionIsRefusedWithTheNumberNeeded() throws IOException {
        assertThat(work.train().exitCode()).isEqualTo(ExitCode.OK);
        List<Path> before = work.tree();
        CommandRun run = predict("3M");
        work.assertRefused(run, before, "the prediction needs at least", "the limit is 3 MB", "--memory-limit ");
        assertThat(predict(number(run.err(), "--memory-limit (\\d+)M") + "M").exitCode())
                .isEqualTo(ExitCode.OK);
    }

    @Test
    void aSizeHasAUnit() {
        for (String wrong : List.of("5", "0M", "-1G", "1.5G", "much")) {
            CommandRun run = work.train("--memory-limit", wrong);
            assertThat(run.exitCode()).as(run.err()).isEqualTo(ExitCode.USAGE);
            assertThat(run.err()).contains(wrong, "such as 800M or 6G");
        }
    }

    private CommandRun predict(String limit) {
        return work.predict(work.data().path("imagesTs"), work.masks(), "--memory-limit", limit);
    }

    private static int number(String text, String pattern) {
        return java.util.regex.Pattern.compile(pattern)
                .matcher(text)
                .results()
                .map(r -> Integer.valueOf(r.group(1)))
                .findFirst()
                .orElseThrow(() -> new AssertionError(pattern + " is not in: " + text));
    }
}
