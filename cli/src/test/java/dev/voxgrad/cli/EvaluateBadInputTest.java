package dev.voxgrad.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.voxgrad.engine.image.Grid;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Cases that cannot be scored hide no others; what is wrong with a command line writes nothing. */
class EvaluateBadInputTest {
    @TempDir
    private Path folder;

    private EvaluationFolder work;

    @BeforeEach
    void writeCases() {
        work = EvaluationFolder.of(folder);
    }

    @Test
    void failedCasesAreListedAndTheOthersScored() throws IOException {
        Files.write(folder.resolve("pred/c1.nii.gz"), new byte[100]);
        work.data().labels("pred/c3.nii.gz", new short[8 * 9 * 9], new Grid(8, 9, 9));
        work.data().labels("pred/c5.nii.gz", TinyDataset.labels(4), TinyDataset.GRID);
        Path summary = folder.resolve("summary.json");
        CommandRun run = work.evaluate("-o", summary.toString(), "--strict-json");
        assertThat(run.exitCode()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.out()).containsPattern("Dice +lesion .* 3 +0 +0");
        List<String> errors = run.err().lines().toList();
        assertThat(errors).hasSize(4);
        assertThat(errors.get(0)).startsWith("voxgrad: case c1 failed: ").contains("c1.nii.gz");
        assertThat(errors.get(1)).startsWith("voxgrad: case c3 failed: ").contains("[8, 9, 9]", "[8, 9, 10]");
        assertThat(errors.get(2)).startsWith("voxgrad: case c5 failed: ").contains("[4]", "lesion=1");
        assertThat(errors.get(3)).isEqualTo("voxgrad: 3 cases failed");
        JsonNode failed =
                JsonMapper.shared().readTree(Files.readString(summary)).path("failed");
        assertThat(failed.size()).isEqualTo(3);
        assertThat(failed.path(0).path("error").asString()).contains("c1.nii.gz");
    }

    @Test
    void nothingIsWrittenWhenEveryCaseFails() throws IOException {
        for (int i = 0; i < 6; i++) {
            Files.write(folder.resolve("pred/c" + i + ".nii.gz"), new byte[100]);
        }
        Path summary = folder.resolve("summary.json");
        CommandRun run = work.evaluate("-o", summary.toString());
        assertThat(run.exitCode()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.out()).isEmpty();
        assertThat(summary).doesNotExist();
    }

    @Test
    void emptyAndMissingFolders() throws IOException {
        Files.createDirectory(folder.resolve("empty"));
        for (String[] wrong : new String[][] {
            {"empty", "nothing to evaluate"}, {"nowhere", "cannot list the folder"}, {"dataset.json", "folder"}
        }) {
            CommandRun run = CommandRun.of(
                    "evaluate", "-p", work.path(wrong[0]), "-r", work.path("ref"), "--dataset", folder.toString());
            assertThat(run.exitCode()).isEqualTo(ExitCode.BAD_INPUT);
            assertThat(run.err().lines()).hasSize(1);
            assertThat(run.err()).contains(work.path(wrong[0]), wrong[1]);
        }
        Files.delete(folder.resolve("pred/c2.nii.gz"));
        assertThat(work.evaluate().err()).contains("no prediction", "[c2.nii.gz]");
        assertThat(work.json("--partial").path("metric_per_case").size()).isEqualTo(5);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        --metrics     | dice,dise   | "dise"
        --metrics     | ''          | ""
        --metrics     | ece         | probabilities
        --regions     | whole       | NAME=LABEL
        --regions     | whole=1,5   | "5"
        --bootstrap   | 99          | 99 samples
        --level       | 0.9999999   | 0.9999
        --interval    | normal      | percentile, bca
        --surface     | in-plane    | faces, in_plane
        --threads     | -1          | -1
        --tolerance-mm | lesion=x   | "x"
        --tolerance-mm | 1,2        | "1,2"
        --policy      | never       | nan, challenge
        --connectivity | 7          | connectivity 7
        --min-overlap | 2           | 2.0
        --size-bins   | 10,5        | ascend
        --size-bins   | 10          | lesion_recall
        --calibration-bins | 0      | 0 bins
        --calibration-area | nowhere | "nowhere"
        """)
    void wrongOptionsAreUsageErrors(String option, String value, String text) throws IOException {
        Path summary = folder.resolve("summary.json");
        CommandRun run = work.evaluate(option, value, "-o", summary.toString());
        assertThat(run.exitCode()).as(run.err()).isEqualTo(ExitCode.USAGE);
        assertThat(run.err()).contains(text);
        assertThat(summary).doesNotExist();
    }

    @Test
    void filesThatCannotBeWrittenAreSaidBefore() throws IOException {
        Path file = Files.createFile(folder.resolve("file"));
        Files.write(folder.resolve("pred/c0.nii.gz"), new byte[100]); // would fail if it were read
        for (String option : List.of("-o", "--csv")) {
            CommandRun run = work.evaluate(option, file.resolve("summary").toString());
            assertThat(run.exitCode()).isEqualTo(ExitCode.BAD_INPUT);
            assertThat(run.err()).contains(file + " is a file").doesNotContain("c0");
        }
    }

    @Test
    void folderOfTheFilesIsMade() {
        Path summary = folder.resolve("results/first/summary.json");
        assertThat(work.evaluate("-o", summary.toString()).exitCode()).isEqualTo(ExitCode.OK);
        assertThat(summary).exists();
    }

    @Test
    void comparisonOfCalibrationNeedsBothProbabilities() {
        CommandRun one = work.evaluate(
                "--metrics", "ece", "--probabilities", work.path("pred"), "--compare", work.path("other"));
        assertThat(one.exitCode()).isEqualTo(ExitCode.USAGE);
        assertThat(one.err()).contains("--compare-probabilities");
        CommandRun alone = work.evaluate("--compare-probabilities", work.path("pred"));
        assertThat(alone.exitCode()).isEqualTo(ExitCode.USAGE);
        assertThat(alone.err()).contains("--compare,");
    }
}
