package dev.voxgrad.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.voxgrad.engine.tensor.Precision;
import dev.voxgrad.engine.train.ModelFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code --precision} reaches the kernels, and a training keeps the one it began with. */
final class PrecisionTest {
    @TempDir
    private Path folder;

    private CommandFolder work;

    /** Enough channels and voxels for larger tiles to pay. */
    @BeforeEach
    void largeMaps() {
        work = CommandFolder.of(folder);
        String plan = work.data().plan(List.of(32, 32, 32)).toJson();
        assertThat(plan).contains("\"features\" : [ 4, 4 ]");
        work.data().text("plan.json", plan.replace("\"features\" : [ 4, 4 ]", "\"features\" : [ 8, 8 ]"));
    }

    @Test
    void trainingKeepsItsPrecision() throws IOException {
        CommandFolder fast = work.withModel(folder.resolve("fast"));
        assertThat(work.train().exitCode()).isEqualTo(ExitCode.OK);
        assertThat(fast.train("--precision", "fast").exitCode()).isEqualTo(ExitCode.OK);
        assertThat(run(work)).doesNotContain("precision");
        assertThat(run(fast)).contains("\"precision\" : \"fast\"");
        assertThat(RunFile.read(work.model()).precision()).isEqualTo(Precision.DEFAULT);
        assertThat(RunFile.read(fast.model()).precision()).isEqualTo(Precision.FAST);
        assertThat(weights(fast)).isNotEqualTo(weights(work));
    }

    @Test
    void predictionTakesAPrecision() throws IOException {
        assertThat(work.train().exitCode()).isEqualTo(ExitCode.OK);
        assertThat(predict("default")).isNotEqualTo(predict("fast"));
    }

    @Test
    void anUnknownPrecisionIsRefused() {
        CommandRun run = work.train("--precision", "exact");
        assertThat(run.exitCode()).isEqualTo(ExitCode.USAGE);
        assertThat(run.err()).contains("--precision", "\"exact\" is none of default, fast");
        assertThat(work.model()).doesNotExist();
    }

    @Test
    void anUnknownPrecisionOfARunFileIsRefused() throws IOException {
        assertThat(work.train("--precision", "fast").exitCode()).isEqualTo(ExitCode.OK);
        Path file = work.model().resolve("run.json");
        Files.writeString(file, Files.readString(file).replace("fast", "half"));
        CommandRun run = CommandRun.of("resume", work.model().toString());
        assertThat(run.exitCode()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err()).contains(file.toString(), "half", "default", "fast");
    }

    private static String run(CommandFolder work) throws IOException {
        return Files.readString(work.model().resolve("run.json"));
    }

    private static byte[] weights(CommandFolder work) throws IOException {
        return Files.readAllBytes(new ModelFolder(work.model()).end());
    }

    /** The probabilities of a case. */
    private byte[] predict(String precision) throws IOException {
        Path masks = folder.resolve("masks of " + precision);
        CommandRun run = work.predict(work.data().path("imagesTs"), masks, "--probabilities", "--precision", precision);
        assertThat(run.exitCode()).as(run.err()).isEqualTo(ExitCode.OK);
        return Files.readAllBytes(masks.resolve("p.safetensors"));
    }
}
