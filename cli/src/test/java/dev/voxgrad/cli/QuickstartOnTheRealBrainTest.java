package dev.voxgrad.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.json.JsonMapper;

/** The main job on real input: half of the quick start's steps must already pass its bar. */
final class QuickstartOnTheRealBrainTest {
    private static final double BAR = 0.75;

    @TempDir
    private Path folder;

    @Test
    void unseenHemisphereIsSegmented() throws IOException {
        CommandRun run = CommandRun.of("quickstart", "--epochs", "15", "-o", folder.toString());
        assertThat(run.exitCode()).as(run.err()).isZero();
        assumeTrue(
                run.out().contains("Colin27"),
                "skipped: the scan was not to be had, the phantom took its place (Debian: apt install mricron-data)");
        double dice = JsonMapper.shared()
                .readTree(Files.readString(folder.resolve("summary.json")))
                .path("foreground_mean")
                .path("Dice")
                .asDouble();
        assertThat(dice).isGreaterThan(BAR);
    }
}
