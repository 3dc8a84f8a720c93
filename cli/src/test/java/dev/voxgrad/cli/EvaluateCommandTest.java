package dev.voxgrad.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.voxgrad.engine.image.Grid;
import dev.voxgrad.engine.metric.Metric;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class EvaluateCommandTest {
    @TempDir
    private Path folder;

    private TinyDataset data;

    /** Six cases: the model misses i planes of the lesion in case i, the other model one more voxel. */
    @BeforeEach
    void writeCases() {
        data = new TinyDataset(folder);
        data.text("dataset.json", TinyDataset.description(2));
        for (int i = 0; i < 6; i++) {
            data.labels("ref/c" + i + ".nii.gz", TinyDataset.labels(1), TinyDataset.GRID);
            data.labels("pred/c" + i + ".nii.gz", missing(3 * i), TinyDataset.GRID);
            data.labels("other/c" + i + ".nii.gz", missing(3 * i + 1 + i), TinyDataset.GRID);
        }
    }

    /** The reference without the first voxels of the lesion. */
    private static short[] missing(int voxels) {
        short[] labels = TinyDataset.labels(1);
        int plane = TinyDataset.GRID.height() * TinyDataset.GRID.width();
        Arrays.fill(labels, 3 * plane, 3 * plane + voxels, (short) 0);
        return labels;
    }

    private CommandRun evaluate(String... more) {
        List<String> arguments = new ArrayList<>(
                List.of("evaluate", "-p", path("pred"), "-r", path("ref"), "--dataset", folder.toString()));
        arguments.addAll(List.of(more));
        return CommandRun.of(arguments.toArray(String[]::new));
    }

    private String path(String name) {
        return folder.resolve(name).toString();
    }

    private static JsonNode json(CommandRun run) {
        assertThat(run.err()).isEmpty();
        assertThat(run.exitCode()).isEqualTo(ExitCode.OK);
        return JsonMapper.shared().readTree(run.out());
    }

    @Test
    void tableShowsSpreadAndInterval() {
        CommandRun run = evaluate();
        assertThat(run.exitCode()).as(run.err()).isEqualTo(ExitCode.OK);
        List<String> lines = run.out().lines().toList();
        assertThat(lines).hasSize(3);
        assertThat(lines.get(0))
                .matches("metric +label +mean \\(SD\\) +median \\[quartiles\\] +95 % CI of mean +n +undefined"
                        + " +infinite");
        // 180 voxels of lesion, 3 i of them missed: Dice = 2 (180 - 3 i) / (360 - 3 i).
        assertThat(lines.get(1))
                .matches("Dice +lesion +0\\.9785 \\(0\\.0163\\) +0\\.9787 \\[0\\.9677, 0\\.9895\\] +\\[0\\.9\\d+,"
                        + " 0\\.9\\d+\\] +6 +0 +0");
        assertThat(lines.get(2)).startsWith("IoU ");
    }

    @Test
    void jsonAndCsvHoldEveryCase() throws IOException {
        Path summary = folder.resolve("summary.json");
        Path csv = folder.resolve("cases.csv");
        CommandRun run = evaluate("-o", summary.toString(), "--csv", csv.toString(), "--strict-json");
        assertThat(run.exitCode()).as(run.err()).isEqualTo(ExitCode.OK);
        JsonNode root = JsonMapper.shared().readTree(Files.readString(summary));
        assertThat(root.path("metric_per_case").size()).isEqualTo(6);
        assertThat(root.path("metric_per_case")
                        .path(2)
                        .path("metrics")
                        .path("1")
                        .path("FN")
                        .asDouble())
                .isEqualTo(6);
        assertThat(root.path("statistics").path("1").path("Dice").path("n").asInt())
                .isEqualTo(6);
        assertThat(root.path("settings").path("bootstrap").path("samples").asInt())
                .isEqualTo(2000);
        assertThat(root.path("failed").size()).isZero();
        assertThat(Files.readAllLines(csv))
                .hasSize(7)
                .element(3)
                .asString()
                .startsWith("c2,1,lesion,")
                .contains(",6,0,");
    }

    @Test
    void jsonOnStandardOutputIsAllThereIs() {
        JsonNode root = json(evaluate("--json", "--strict-json"));
        assertThat(root.path("mean").path("1").path("FN").asDouble()).isEqualTo(7.5);
    }

    @Test
    void threadsAndRepetitionChangeNothing() {
        String one = evaluate("--json", "--threads", "1").out();
        assertThat(evaluate("--json", "--threads", "3").out()).isEqualTo(one);
        assertThat(evaluate("--json", "--seed", "5").out()).isNotEqualTo(one);
    }

    @Test
    void comparisonWithAnotherModel() {
        JsonNode root = json(evaluate("--compare", path("other"), "--json", "--strict-json"));
        JsonNode row = root.path("comparison").path("rows").path(0);
        assertThat(row.path("metric").asString()).isEqualTo("Dice");
        assertThat(row.path("pairs").asInt()).isEqualTo(6);
        assertThat(row.path("difference").asDouble()).isPositive();
        assertThat(row.path("ci").path(0).asDouble()).isPositive();
        // The model is better in each of 6 cases: the smallest p value there can be, then doubled for two metrics.
        assertThat(row.path("p_wilcoxon").asDouble()).isEqualTo(2.0 / 64);
        assertThat(row.path("p_sign_flip").asDouble()).isEqualTo(2.0 / 64);
        assertThat(row.path("p_wilcoxon_holm").asDouble()).isEqualTo(4.0 / 64);
        CommandRun table = evaluate("--compare", path("other"));
        assertThat(table.out()).contains("difference", "p Wilcoxon", "0.0312", "0.0625");
    }

    /** Case 0 is empty in both maps, case 1 in the reference, case 2 in the prediction. */
    private void emptyMasks() {
        short[] none = new short[TinyDataset.GRID.voxels()];
        data.labels("ref/c0.nii.gz", none, TinyDataset.GRID);
        data.labels("pred/c0.nii.gz", none, TinyDataset.GRID);
        data.labels("ref/c1.nii.gz", none, TinyDataset.GRID);
        data.labels("pred/c2.nii.gz", none, TinyDataset.GRID);
    }

    @Test
    void allMetricsUnderTheDefaultPolicy() {
        emptyMasks();
        JsonNode root = json(evaluate("--metrics", "all", "--size-bins", "10,1000.5", "--json", "--strict-json"));
        JsonNode statistics = root.path("statistics").path("1");
        for (Metric metric : Metric.values()) {
            String column = metric == Metric.DICE ? "Dice" : metric == Metric.IOU ? "IoU" : metric.id();
            JsonNode s = statistics.path(column);
            int cases = s.path("n").asInt()
                    + s.path("n_undefined").asInt()
                    + s.path("n_infinite").asInt();
            assertThat(cases).as(column).isEqualTo(6);
        }
        assertThat(statistics.path("hd95").path("n_undefined").asInt()).isEqualTo(1);
        assertThat(statistics.path("hd95").path("n_infinite").asInt()).isEqualTo(2);
        assertThat(statistics.path("hd95").path("n").asInt()).isEqualTo(3);
        assertThat(statistics.path("Dice").path("n").asInt()).isEqualTo(5);
        assertThat(statistics.path("lesion_recall").path("n_undefined").asInt()).isEqualTo(2);
        assertThat(statistics.path("lesion_recall_10_1000.5_mm3").path("mean").asDouble())
                .isEqualTo(0.75);
        assertThat(statistics.path("lesion_recall_0_10_mm3").path("n").asInt()).isZero();
        assertThat(root.path("settings").path("empty_cases").asString()).isEqualTo("nan");
    }

    @Test
    void challengePolicyGivesEveryCaseANumber() {
        emptyMasks();
        JsonNode root =
                json(evaluate("--metrics", "dice,hd95,lesion_f1", "--policy", "challenge", "--json", "--strict-json"));
        JsonNode first = root.path("metric_per_case").path(0).path("metrics").path("1");
        assertThat(first.path("Dice").asDouble()).isEqualTo(1);
        assertThat(first.path("hd95").asDouble()).isZero();
        JsonNode second = root.path("metric_per_case").path(1).path("metrics").path("1");
        assertThat(second.path("hd95").asDouble()).isEqualTo(Math.sqrt(49 + 64 + 81));
        assertThat(second.path("lesion_f1").asDouble()).isZero();
        assertThat(root.path("statistics").path("1").path("hd95").path("n").asInt())
                .isEqualTo(6);
        assertThat(root.path("settings").path("empty_cases").asString()).isEqualTo("challenge");
    }

    @Test
    void toleranceByLabel() {
        for (int i = 0; i < 6; i++) {
            short[] shifted = TinyDataset.labels(1);
            int plane = TinyDataset.GRID.height() * TinyDataset.GRID.width();
            Arrays.fill(shifted, 2 * plane, 3 * plane, (short) 1);
            data.labels("pred/c" + i + ".nii.gz", shifted, TinyDataset.GRID);
        }
        String[] nsd = {"--metrics", "surface_dice", "--json", "--strict-json", "--tolerance-mm"};
        double[] found = new double[2];
        for (int i = 0; i < 2; i++) {
            String[] arguments = Arrays.copyOf(nsd, nsd.length + 1);
            arguments[nsd.length] = i == 0 ? "1" : "1,lesion=0.5";
            found[i] = json(evaluate(arguments))
                    .path("mean")
                    .path("1")
                    .path("surface_dice")
                    .asDouble();
        }
        assertThat(found[0]).isCloseTo(1, within(1e-12));
        assertThat(found[1]).isLessThan(0.8);
    }

    @Test
    void regionsAreScoredBesideTheLabels() {
        JsonNode root = json(evaluate("--regions", "whole=lesion", "--json", "--strict-json"));
        assertThat(root.path("mean").path("(1,)")).isEqualTo(root.path("mean").path("1"));
        assertThat(root.path("settings").path("labels").path("(1,)").asString()).isEqualTo("whole");
    }

    @Test
    void calibrationFromProbabilities() throws IOException {
        for (int i = 0; i < 6; i++) {
            float[] p = new float[TinyDataset.GRID.voxels()];
            short[] labels = TinyDataset.labels(1);
            for (int v = 0; v < p.length; v++) {
                p[v] = labels[v] == 1 ? 0.75f : 0.25f;
            }
            data.image("prob/c" + i + ".nii.gz", p);
        }
        JsonNode root = json(evaluate(
                "--probabilities",
                path("prob"),
                "--metrics",
                "dice,calibration",
                "--calibration-bins",
                "10",
                "--json",
                "--strict-json"));
        assertThat(root.path("mean").path("1").path("ece").asDouble()).isEqualTo(0.25);
        JsonNode bins = root.path("calibration").path("1").path("foreground").path("bins");
        assertThat(bins.size()).isEqualTo(10);
        assertThat(bins.path(7).path("accuracy").asDouble()).isEqualTo(1);
        assertThat(bins.path(0).path("accuracy").isNull()).isTrue();
        Files.delete(folder.resolve("prob/c4.nii.gz"));
        CommandRun run = evaluate("--probabilities", path("prob"));
        assertThat(run.exitCode()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err()).contains("[c4]", "CASE.safetensors");
    }

    @Test
    void failedCasesAreListedAndTheOthersScored() throws IOException {
        Files.write(folder.resolve("pred/c1.nii.gz"), new byte[100]);
        data.labels("pred/c3.nii.gz", new short[8 * 9 * 9], new Grid(8, 9, 9));
        data.labels("pred/c5.nii.gz", TinyDataset.labels(4), TinyDataset.GRID);
        Path summary = folder.resolve("summary.json");
        CommandRun run = evaluate("-o", summary.toString(), "--strict-json");
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
        CommandRun run = evaluate("-o", summary.toString());
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
            CommandRun run =
                    CommandRun.of("evaluate", "-p", path(wrong[0]), "-r", path("ref"), "--dataset", folder.toString());
            assertThat(run.exitCode()).isEqualTo(ExitCode.BAD_INPUT);
            assertThat(run.err().lines()).hasSize(1);
            assertThat(run.err()).contains(path(wrong[0]), wrong[1]);
        }
        Files.delete(folder.resolve("pred/c2.nii.gz"));
        assertThat(evaluate().err()).contains("no prediction", "[c2.nii.gz]");
        assertThat(json(evaluate("--partial", "--json", "--strict-json"))
                        .path("metric_per_case")
                        .size())
                .isEqualTo(5);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        --metrics     | dice,dise   | "dise"
        --metrics     | ''          | ""
        --metrics     | ece         | probabilities
        --regions     | whole       | NAME=LABEL
        --regions     | whole=1,5   | "5"
        --bootstrap   | 0           | 0 samples
        --level       | 1.5         | 1.5
        --interval    | normal      | PERCENTILE
        --threads     | -1          | -1
        --tolerance-mm | lesion=x   | "x"
        --policy      | never       | CHALLENGE
        --connectivity | 7          | connectivity 7
        --min-overlap | 2           | 2.0
        --size-bins   | 10,5        | ascend
        """)
    void wrongOptionsAreUsageErrors(String option, String value, String text) throws IOException {
        Path summary = folder.resolve("summary.json");
        CommandRun run = evaluate(option, value, "-o", summary.toString());
        assertThat(run.exitCode()).as(run.err()).isEqualTo(ExitCode.USAGE);
        assertThat(run.err()).contains(text);
        assertThat(summary).doesNotExist();
    }
}
