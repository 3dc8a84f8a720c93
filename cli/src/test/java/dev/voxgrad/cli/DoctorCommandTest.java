package dev.voxgrad.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

final class DoctorCommandTest {
    @Test
    void findsLibraryAndProcessor() {
        CommandRun run = CommandRun.of("doctor");
        assertThat(run.exitCode()).as(run.out() + run.err()).isEqualTo(ExitCode.OK);
        assertThat(run.out()).contains("libvoxgrad", "instructions", "cuda", "Everything that the CPU needs is here.");
    }

    @Test
    void jsonTellsScriptsTheSame() {
        CommandRun run = CommandRun.of("doctor", "--json");
        JsonNode report = JsonMapper.shared().readTree(run.out());
        assertThat(report.get("threads").intValue()).isPositive();
        assertThat(report.get("problems")).isEmpty();
        assertThat(report.get("cudaDevices").isEmpty())
                .isEqualTo(!report.get("cudaUnavailable").asString().isEmpty());
    }
}
