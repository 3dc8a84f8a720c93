package dev.voxgrad.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;

final class MainTest {
    @Test
    void withoutCommandPrintsTheHelp() {
        CommandRun run = CommandRun.of();
        assertThat(run.exitCode()).isEqualTo(ExitCode.OK);
        assertThat(run.out()).contains("Usage: voxgrad", "doctor", "Exit codes:");
        assertThat(run.err()).isEmpty();
    }

    @Test
    void versionIsFilledInByTheBuild() {
        assertThat(CommandRun.of("--version").out()).matches("voxgrad \\d+\\.\\d+\\.\\d+.*\\R");
    }

    @Test
    void unknownOptionIsAUsageErrorInTwoLines() {
        CommandRun run = CommandRun.of("doctor", "--colour");
        assertThat(run.exitCode()).isEqualTo(ExitCode.USAGE);
        assertThat(run.out()).isEmpty();
        assertThat(run.err().lines()).hasSize(2);
        assertThat(run.err()).contains("--colour", "voxgrad doctor --help");
    }

    @Test
    void unknownCommandSuggestsTheRightOne() {
        CommandRun run = CommandRun.of("doctr");
        assertThat(run.exitCode()).isEqualTo(ExitCode.USAGE);
        assertThat(run.err()).contains("doctor");
    }

    static Stream<List<String>> commands() {
        return Main.commandLine().getSubcommands().values().stream().flatMap(MainTest::namesOf);
    }

    private static Stream<List<String>> namesOf(CommandLine command) {
        CommandSpec spec = command.getCommandSpec();
        List<String> own = List.of(spec.qualifiedName().split(" "));
        return Stream.concat(
                Stream.of(own.subList(1, own.size())),
                command.getSubcommands().values().stream().flatMap(MainTest::namesOf));
    }

    @ParameterizedTest
    @MethodSource("commands")
    void everyCommandHasADescriptionAndAnExample(List<String> command) {
        String[] arguments =
                Stream.concat(command.stream(), Stream.of("--help")).toArray(String[]::new);
        CommandRun run = CommandRun.of(arguments);
        assertThat(run.exitCode()).isEqualTo(ExitCode.OK);
        assertThat(run.out()).contains("Example:", "  voxgrad " + String.join(" ", command));
        assertThat(run.out().lines().filter(line -> line.length() > 100)).isEmpty();
    }
}
