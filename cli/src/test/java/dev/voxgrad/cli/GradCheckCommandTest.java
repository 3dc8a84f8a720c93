package dev.voxgrad.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.voxgrad.losses.Losses;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** {@code voxgrad gradcheck}; losses of users are in {@link AddingALossTest}. */
class GradCheckCommandTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "dice",
                "ce(smoothing=0.1, weights=[1, 2, 3])",
                "0.5*(dice + ce)",
                "dice(sigmoid=true, batch=true)"
            })
    void printsTheWorstEntryAndPass(String text) {
        CommandRun run = CommandRun.of("gradcheck", text, "--threads", "1");
        assertThat(run.err()).isEmpty();
        assertThat(run.exitCode()).isEqualTo(ExitCode.OK);
        assertThat(run.out())
                .containsPattern("logits +\\[2,3,4,5,3\\], seed 0\n")
                .contains("checked  360 entries, 16 directions\n")
                .containsPattern(
                        "worst +(logits(\\[\\d+\\]){5}|direction \\d): analytic -?\\d.*, numeric -?\\d.*, difference .*, tolerance .*\n")
                .endsWith("PASS\n");
    }

    @Test
    void sameSeedGivesTheSameOutput() {
        CommandRun first = CommandRun.of("gradcheck", "dice + ce", "--seed", "5", "--threads", "1");
        assertThat(CommandRun.of("gradcheck", "dice + ce", "--seed", "5", "--threads", "2"))
                .isEqualTo(first);
        assertThat(CommandRun.of("gradcheck", "dice + ce", "--seed", "6").out()).isNotEqualTo(first.out());
    }

    @Test
    void scheduleIsCheckedAtSeveralPoints() {
        CommandRun run = CommandRun.of("gradcheck", "schedule(ce -> dice, linear, at=0.25..0.75)", "--dim", "2");
        assertThat(run.exitCode()).isEqualTo(ExitCode.OK);
        assertThat(run.out().lines().filter(line -> line.startsWith("loss")).map(line -> line.substring(9)))
                .containsExactly("ce", "0.5*ce + 0.5*dice", "dice");
        assertThat(run.out()).contains("[2,1,6,7,3]");
    }

    @Test
    void listHasEveryLossWithItsDescription() {
        CommandRun run = CommandRun.of("gradcheck", "--list");
        assertThat(run.exitCode()).isEqualTo(ExitCode.OK);
        assertThat(run.out().lines()).hasSameSizeAs(Losses.factories().keySet());
        Losses.factories()
                .forEach((name, factory) -> assertThat(run.out())
                        .containsPattern("(?m)^" + name + " +\\Q" + factory.description() + "\\E$"));
    }

    @Test
    void jsonHoldsTheSame() {
        CommandRun run = CommandRun.of("gradcheck", "ce", "--json", "--shape", "1x1x2x2", "--classes", "2");
        JsonNode report = JsonMapper.shared().readTree(run.out()).get(0);
        assertThat(report.path("entries").asInt()).isEqualTo(8);
        assertThat(report.path("loss").asString()).isEqualTo("ce");
        assertThat(report.path("worst").path("where").asString()).isNotEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "dicee | did you mean dice?",
                "dice(smoth=1) | did you mean smooth?",
                "dice -> ce | an arrow belongs into schedule",
            })
    void wrongTextShowsThePlace(String text, String message) {
        CommandRun run = CommandRun.of("gradcheck", text);
        assertThat(run.exitCode()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.out()).isEmpty();
        assertThat(run.err()).contains(message, "\n  " + text + "\n").containsPattern("\n +\\^\n$");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--seed 1 | give a loss, or --list",
                "dice --classes 0 | --classes is 0",
                "dice --classes 65 | --classes is 65",
                "dice --dim 4 | --dim is 4",
                "dice --shape 3x4x5 | four numbers",
                "dice --shape 0x3x4x5 | four numbers",
                "dice --class-path nowhere | nowhere does not exist",
            })
    void wrongOptionsAreUsageErrors(String arguments, String message) {
        CommandRun run = CommandRun.of(("gradcheck " + arguments).split(" "));
        assertThat(run.exitCode()).isEqualTo(ExitCode.USAGE);
        assertThat(run.err()).contains(message);
    }

    @Test
    void brokenServiceFileIsNamed(@TempDir Path folder) throws Exception {
        Path services = Files.createDirectories(folder.resolve("META-INF/services"));
        Files.writeString(services.resolve("dev.voxgrad.losses.LossFactory"), "org.example.Missing\n");
        CommandRun run = CommandRun.of("gradcheck", "dice", "--class-path", folder.toString());
        assertThat(run.exitCode()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err()).contains("org.example.Missing", "docs/adding-a-loss.md");
        assertThat(CommandRun.of("gradcheck", "dice").exitCode())
                .as("the class path is that of one command")
                .isEqualTo(ExitCode.OK);
    }

    @Test
    void classPathToCompileWithHoldsTheLosses() {
        CommandRun run = CommandRun.of("--print-class-path");
        assertThat(run.exitCode()).isEqualTo(ExitCode.OK);
        assertThat(run.out().strip()).isEqualTo(System.getProperty("java.class.path"));
    }
}
