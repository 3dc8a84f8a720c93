package dev.voxgrad.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.voxgrad.cli.report.Browser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class ProfileCommandTest {
    @TempDir
    private Path folder;

    private CommandFolder work;
    private Path json;
    private Path page;

    @BeforeEach
    void prepare() {
        work = CommandFolder.of(folder);
        json = folder.resolve("out/profile.json");
        page = folder.resolve("out/profile.html");
    }

    private CommandRun profile(String what, String... more) {
        List<String> arguments = new ArrayList<>(List.of("profile", what, "--threads", "1"));
        arguments.addAll(List.of("--json", json.toString(), "--html", page.toString()));
        arguments.addAll(List.of(more));
        return CommandRun.of(arguments.toArray(String[]::new));
    }

    private CommandRun trainOnNoise(String... more) {
        List<String> arguments =
                new ArrayList<>(List.of("--plan", work.data().planFile().toString()));
        arguments.addAll(List.of("--steps", "2", "--warm-up", "1"));
        arguments.addAll(List.of(more));
        return profile("train", arguments.toArray(String[]::new));
    }

    private JsonNode numbers() throws IOException {
        return JsonMapper.shared().readTree(Files.readString(json));
    }

    private static double sum(JsonNode rows, String key) {
        return rows.valueStream().mapToDouble(r -> r.get(key).doubleValue()).sum();
    }

    private static List<String> texts(JsonNode rows, String key) {
        return rows.valueStream().map(r -> r.get(key).asString()).distinct().toList();
    }

    @Test
    void trainingOnNoiseIsMeasuredKernelByKernel() throws IOException {
        CommandRun run = trainOnNoise();
        assertThat(run.exitCode()).as(run.err()).isEqualTo(ExitCode.OK);
        assertThat(run.out()).contains("2 steps of", "roofline", "conv3d_backward_weight", "100.0 %", "page: " + page);
        JsonNode tree = numbers();
        assertThat(tree.get("steps").intValue()).isEqualTo(2);
        for (String rows : List.of("rows", "byOp", "byLayer")) {
            assertThat(sum(tree.get(rows), "share")).isCloseTo(1, within(1e-9));
            assertThat(sum(tree.get(rows), "totalMs"))
                    .isCloseTo(tree.get("wallMs").doubleValue(), within(1e-6));
        }
        assertThat(tree.get("phases")
                        .valueStream()
                        .mapToDouble(JsonNode::doubleValue)
                        .sum())
                .isCloseTo(tree.get("wallMs").doubleValue(), within(1e-6));
        assertThat(texts(tree.get("byOp"), "op"))
                .contains("conv3d_forward", "segloss_backward", "adamw_step", "wait for batch", "outside kernels")
                .doesNotContain("unnamed");
        assertThat(texts(tree.get("rows"), "layer")).contains("encoder.stages.0.0.convs.0.conv", "loss", "optimizer");
        assertThat(texts(tree.get("medianStep"), "phase")).containsExactly("data", "forward", "backward", "update");
        assertThat(tree.get("peakGflops").doubleValue()).isPositive();
    }

    @Test
    void profilingADatasetReadsItsCasesAndKeepsNothing() throws IOException {
        List<Path> before = work.tree();
        CommandRun run = profile(
                "train",
                work.data().folder().toString(),
                "--plan",
                work.data().planFile().toString(),
                "--steps",
                "1",
                "--loss",
                "dice");
        assertThat(run.exitCode()).as(run.err()).isEqualTo(ExitCode.OK);
        assertThat(numbers().get("facts").get("Loss").asString()).isEqualTo("dice");
        List<Path> expected = new ArrayList<>(before);
        expected.addAll(List.of(json.getParent(), json, page));
        assertThat(work.tree()).containsExactlyInAnyOrderElementsOf(expected);
    }

    @Test
    void predictionIsMeasuredFromFileToFile() throws IOException {
        work.train();
        CommandRun run = profile(
                "predict",
                "-m",
                work.model().toString(),
                "-i",
                work.data().path("imagesTs").toString());
        assertThat(run.exitCode()).as(run.err()).isEqualTo(ExitCode.OK);
        JsonNode tree = numbers();
        assertThat(tree.get("stepName").asString()).isEqualTo("tile");
        assertThat(sum(tree.get("rows"), "share")).isCloseTo(1, within(1e-9));
        assertThat(texts(tree.get("byOp"), "op"))
                .contains("read and preprocess", "window_gather", "conv3d_forward", "window_accumulate", "write files")
                .doesNotContain("unnamed");
        assertThat(texts(tree.get("rows"), "phase")).containsExactlyInAnyOrder("data", "forward", "output");
    }

    @ParameterizedTest
    @CsvSource({"layer-op, 3, 1", "op, 0, 0", "LAYER, 2, 1", "call, 4, 1"})
    void tableHasTheRowsThatAreWanted(String by, int top, int more) {
        CommandRun run = trainOnNoise("--by", by, "--top", Integer.toString(top));
        assertThat(run.exitCode()).as(run.err()).isEqualTo(ExitCode.OK);
        assertThat(run.out().lines().filter(line -> line.contains("more rows"))).hasSize(more);
        assertThat(run.out().lines().filter(line -> line.startsWith("all "))).hasSize(by.equals("call") ? 0 : 1);
        if (top > 0) {
            assertThat(run.out().lines().filter(line -> line.matches("(data|forward|backward|update) .*")))
                    .hasSize(top);
        }
    }

    @Test
    void pageDrawsItselfInABrowser() throws Exception {
        Browser browser = Browser.assumed();
        assertThat(trainOnNoise().exitCode()).isEqualTo(ExitCode.OK);
        String dom = browser.dom(page, folder);
        assertThat(dom).contains("<ul id=\"errors\" hidden=\"\"></ul>", "data-profile=\"ready\"");
        assertThat(dom).contains("aria-label=\"Roofline plot\"", "class=\"point\"", "class=\"area\"");
        String body = dom.substring(dom.indexOf("<tbody"), dom.indexOf("</tbody"));
        assertThat(body.split("<tr", -1)).hasSizeGreaterThan(20);
        assertThat(Files.readString(page)).doesNotContain("src=\"http").contains("default-src 'none'");
    }

    @Test
    void patchAndBatchCanBeOthers() throws IOException {
        CommandRun run = trainOnNoise("--patch", "8x12x16", "--batch", "1");
        assertThat(run.exitCode()).as(run.err()).isEqualTo(ExitCode.OK);
        assertThat(numbers().get("facts").get("Batch").asString()).isEqualTo("1 patches of [8, 12, 16]");
    }

    private static Stream<List<String>> wrong() {
        return Stream.of(
                List.of(),
                List.of("--preset", "unet64", "--plan", "p.json"),
                List.of("--preset", "unet65"),
                List.of("--preset", "unet64", "--steps", "0"),
                List.of("--preset", "unet64", "--warm-up", "-1"),
                List.of("--preset", "unet64", "--batch", "0"),
                List.of("--preset", "unet64", "--patch", "64x64"),
                List.of("--preset", "unet64", "--top", "-1"),
                List.of("--preset", "unet64", "--by", "colour"));
    }

    @ParameterizedTest
    @MethodSource("wrong")
    void wrongOptionsAreUsageErrors(List<String> options) {
        CommandRun run = profile("train", options.toArray(String[]::new));
        assertThat(run.exitCode()).as(run.err()).isEqualTo(ExitCode.USAGE);
        assertThat(run.err()).startsWith("voxgrad: ").contains("profile train --help");
        assertThat(page).doesNotExist();
    }

    @ParameterizedTest
    @ValueSource(strings = {"missing.json", "data/dataset.json"})
    void planThatIsNoneIsBadInput(String name) {
        CommandRun run = profile("train", "--plan", folder.resolve(name).toString());
        assertThat(run.exitCode()).as(run.err()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err()).contains(name);
    }

    @Test
    void outputInsideAFileIsRefusedBeforeTheWork() throws IOException {
        Path file = Files.createFile(folder.resolve("file"));
        page = file.resolve("profile.html");
        CommandRun run = trainOnNoise();
        assertThat(run.exitCode()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err()).contains(file + " is a file");
        assertThat(run.out()).isEmpty();
    }
}
