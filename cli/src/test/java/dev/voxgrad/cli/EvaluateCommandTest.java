package dev.voxgrad.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.voxgrad.engine.metric.CalibrationMetric;
import dev.voxgrad.engine.metric.Metric;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class EvaluateCommandTest {
    @TempDir
    private Path folder;

    private EvaluationFolder work;

    @BeforeEach
    void writeCases() {
        work = EvaluationFolder.of(folder);
    }

    @Test
    void tableShowsSpreadAndInterval() {
        CommandRun run = work.evaluate();
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
        CommandRun run = work.evaluate("-o", summary.toString(), "--csv", csv.toString(), "--strict-json");
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
        assertThat(root.path("settings").path("bootstrap").path("method").asString())
                .isEqualTo("bca");
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
        JsonNode root = work.json();
        assertThat(root.path("mean").path("1").path("FN").asDouble()).isEqualTo(7.5);
    }

    @Test
    void threadsAndRepetitionChangeNothing() {
        String one = work.evaluate("--json", "--threads", "1").out();
        assertThat(work.evaluate("--json", "--threads", "3").out()).isEqualTo(one);
        assertThat(work.evaluate("--json", "--seed", "5").out()).isNotEqualTo(one);
    }

    @Test
    void comparisonWithAnotherModel() {
        JsonNode root = work.json("--compare", work.path("other"));
        JsonNode row = root.path("comparison").path("rows").path(0);
        assertThat(row.path("metric").asString()).isEqualTo("Dice");
        assertThat(row.path("pairs").asInt()).isEqualTo(6);
        assertThat(row.path("difference").asDouble()).isPositive();
        assertThat(row.path("ci").path(0).asDouble()).isPositive();
        // The model is better in each of 6 cases: the smallest p value there can be, then doubled for two metrics.
        assertThat(row.path("p_wilcoxon").asDouble()).isEqualTo(2.0 / 64);
        assertThat(row.path("p_sign_flip").asDouble()).isEqualTo(2.0 / 64);
        assertThat(row.path("p_wilcoxon_holm").asDouble()).isEqualTo(4.0 / 64);
        CommandRun table = work.evaluate("--compare", work.path("other"));
        assertThat(table.out()).contains("difference", "p Wilcoxon", "0.0312", "0.0625");
        assertThat(table.out()).containsPattern("Dice +lesion .* first +\\[");
        assertThat(row.path("better").asString()).isEqualTo("first");
    }

    /** Case 0 is empty in both maps, case 1 in the reference, case 2 in the prediction. */
    private void emptyMasks() {
        short[] none = new short[TinyDataset.GRID.voxels()];
        work.data().labels("ref/c0.nii.gz", none, TinyDataset.GRID);
        work.data().labels("pred/c0.nii.gz", none, TinyDataset.GRID);
        work.data().labels("ref/c1.nii.gz", none, TinyDataset.GRID);
        work.data().labels("pred/c2.nii.gz", none, TinyDataset.GRID);
    }

    @Test
    void allMetricsUnderTheDefaultPolicy() {
        emptyMasks();
        JsonNode root = work.json("--metrics", "all", "--size-bins", "10,1000.5");
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
        JsonNode root = work.json("--metrics", "dice,hd95,lesion_f1", "--policy", "challenge");
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
            work.data().labels("pred/c" + i + ".nii.gz", shifted, TinyDataset.GRID);
        }
        double[] found = new double[2];
        for (int i = 0; i < 2; i++) {
            JsonNode root = work.json("--metrics", "surface_dice", "--tolerance-mm", i == 0 ? "1" : "1,lesion=0.5");
            found[i] = root.path("mean").path("1").path("surface_dice").asDouble();
        }
        assertThat(found[0]).isEqualTo(1);
        assertThat(found[1]).isLessThan(0.8);
    }

    @Test
    void regionsAreScoredBesideTheLabels() {
        JsonNode root = work.json("--regions", "whole=lesion");
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
            work.data().image("prob/c" + i + ".nii.gz", p);
        }
        JsonNode root = work.json(
                "--probabilities", work.path("prob"), "--metrics", "dice,calibration", "--calibration-bins", "10");
        assertThat(root.path("mean").path("1").path("ece").asDouble()).isEqualTo(0.25);
        JsonNode bins = root.path("calibration").path("1").path("foreground").path("bins");
        assertThat(bins.size()).isEqualTo(10);
        assertThat(bins.path(7).path("accuracy").asDouble()).isEqualTo(1);
        assertThat(bins.path(0).path("accuracy").isNull()).isTrue();
        Files.delete(folder.resolve("prob/c4.nii.gz"));
        CommandRun run = work.evaluate("--probabilities", work.path("prob"));
        assertThat(run.exitCode()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err()).contains("[c4]", "CASE.safetensors");
    }

    @Test
    void documentationNamesEveryMetricAndOption() throws IOException {
        String text = Files.readString(Path.of(System.getProperty("voxgrad.root", ".."), "docs", "evaluating.md"));
        Arrays.stream(Metric.values()).forEach(m -> assertThat(text).contains("`" + m.id() + "`"));
        Arrays.stream(CalibrationMetric.values()).forEach(m -> assertThat(text).contains("`" + m.id() + "`"));
        CommandLine command = Main.commandLine().getSubcommands().get("evaluate");
        Set<String> general = Set.of("--help", "--version");
        command.getCommandSpec().options().stream()
                .filter(o -> !o.inherited())
                .map(o -> o.longestName())
                .filter(name -> !general.contains(name))
                .map(name -> Map.of("--output", "-o", "--predictions", "-p", "--references", "-r")
                        .getOrDefault(name, name))
                .forEach(name -> assertThat(text).contains(name));
        Matcher named = Pattern.compile("--[a-z][a-z0-9-]+").matcher(text);
        while (named.find()) {
            assertThat(command.getCommandSpec().optionsMap()).containsKey(named.group());
        }
    }
}
