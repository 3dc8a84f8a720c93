package dev.voxgrad.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.voxgrad.engine.Safetensors;
import dev.voxgrad.engine.image.LabelVolume;
import dev.voxgrad.engine.image.NiftiReader;
import dev.voxgrad.engine.image.Volume;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Maps beside the masks of predict, and evaluate on them. */
class PredictMapsTest {
    @TempDir
    private static Path shared;

    private static CommandFolder work;

    @BeforeAll
    static void train() {
        work = CommandFolder.of(shared);
        assertThat(work.train().exitCode()).isZero();
    }

    private static CommandRun predict(Path masks, String... more) {
        return work.predict(work.data().path("imagesTr"), masks, more);
    }

    private static float[] probabilities(Path masks) {
        try (Safetensors file = Safetensors.open(masks.resolve("p.safetensors"))) {
            assertThat(file.shape("probabilities"))
                    .containsExactly(2L, (long) TinyDataset.GRID.depth(), (long) TinyDataset.GRID.height(), (long)
                            TinyDataset.GRID.width());
            return file.f32("probabilities");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"complement", "margin", "entropy"})
    void mapsAgreeWithTheMask(String kind, @TempDir Path masks) {
        assertThat(predict(masks, "--uncertainty", kind, "--probabilities").exitCode())
                .isZero();
        LabelVolume mask = NiftiReader.readLabels(masks.resolve("p.nii.gz")).labels();
        Volume map = NiftiReader.read(masks.resolve("p_uncertainty.nii.gz")).volume();
        assertThat(map.geometry()).isEqualTo(mask.geometry());
        float[] p = probabilities(masks);
        int voxels = mask.grid().voxels();
        for (int v = 0; v < voxels; v++) {
            double foreground = p[voxels + v];
            assertThat(mask.label(v)).isEqualTo(foreground > p[v] ? 1 : 0);
            double entropy = -(foreground * Math.log(foreground) + p[v] * Math.log(p[v])) / Math.log(2);
            double wanted = switch (kind) {
                case "complement" -> 1 - foreground;
                case "margin" -> 1 - Math.abs(2 * foreground - 1);
                default -> entropy;
            };
            assertThat((double) map.channels().getFirst()[v]).isCloseTo(wanted, within(1e-5));
        }
    }

    @Test
    void evaluateReadsTheFolder(@TempDir Path masks) {
        assertThat(predict(masks, "--uncertainty", "margin", "--probabilities").exitCode())
                .isZero();
        CommandRun run = CommandRun.of(
                "evaluate",
                "-p",
                masks.toString(),
                "-r",
                work.data().folder().resolve("labelsTr").toString(),
                "--dataset",
                work.data().folder().toString(),
                "--probabilities",
                masks.toString(),
                "--metrics",
                "dice,ece,brier");
        assertThat(run.exitCode()).as(run.err()).isZero();
        assertThat(run.out()).contains("brier");
    }

    @Test
    void withoutTheOptionsThereAreMasksOnly(@TempDir Path masks) throws Exception {
        assertThat(predict(masks).exitCode()).isZero();
        try (var files = Files.list(masks)) {
            assertThat(files.map(f -> f.getFileName().toString())).containsExactlyInAnyOrder("p.nii.gz", "q.nii.gz");
        }
    }

    /** Without noise one round is the plain pass twice and two flips; with noise it can be repeated. */
    @Test
    void noiseAndFlipsAreAveraged(@TempDir Path masks) {
        float[] plain = probabilities("plain", masks, "--no-mirror");
        float[] flips = probabilities("flips", masks, "--noise", "1", "--noise-sigma", "0");
        float[] noise = probabilities("noise", masks, "--noise", "2", "--noise-sigma", "0.2");
        assertThat(flips).isNotEqualTo(plain);
        assertThat(noise).isNotEqualTo(flips);
        assertThat(probabilities("again", masks, "--noise", "2", "--noise-sigma", "0.2"))
                .isEqualTo(noise);
        for (int i = 0; i < plain.length; i++) {
            assertThat(noise[i]).isBetween(0f, 1f);
        }
    }

    private static float[] probabilities(String name, Path masks, String... options) {
        List<String> all = new ArrayList<>(List.of(options));
        all.addAll(List.of("--probabilities", "--uncertainty", "entropy"));
        CommandRun run = predict(masks.resolve(name), all.toArray(String[]::new));
        assertThat(run.exitCode()).as(run.err()).isZero();
        assertThat(masks.resolve(name).resolve("p_uncertainty.nii.gz")).exists();
        return probabilities(masks.resolve(name));
    }

    @Test
    void wrongNoiseIsAnErrorOfTheCommandLine(@TempDir Path masks) {
        assertThat(predict(masks, "--noise", "0").exitCode()).isEqualTo(ExitCode.USAGE);
        CommandRun run = predict(masks, "--noise", "2", "--noise-sigma", "-1");
        assertThat(run.exitCode()).isEqualTo(ExitCode.USAGE);
        assertThat(run.err()).contains("--noise").contains("sigma -1.0");
    }

    @Test
    void anUnknownKindIsAnErrorOfTheCommandLine(@TempDir Path masks) {
        CommandRun run = predict(masks, "--uncertainty", "variance");
        assertThat(run.exitCode()).isEqualTo(2);
        assertThat(run.err()).contains("--uncertainty").contains("variance").containsIgnoringCase("margin");
    }
}
