package dev.voxgrad.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.voxgrad.cli.data.BrainDataset;
import dev.voxgrad.engine.plan.DatasetDescription;
import dev.voxgrad.engine.plan.Plan;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Quick start of one epoch on the phantom, and the other commands on what it made. */
final class PipelineTest {
    @TempDir
    private static Path shared;

    private static Path output;
    private static CommandRun quickstart;

    @TempDir
    private Path folder;

    @BeforeAll
    static void oneEpoch() {
        output = shared.resolve("quick");
        quickstart = CommandRun.of("quickstart", "--phantom", "--epochs", "1", "-o", output.toString());
    }

    private static Path dataset() {
        return output.resolve(BrainDataset.NAME);
    }

    private static JsonNode json(CommandRun run) {
        assertThat(run.exitCode()).as(run.err()).isZero();
        return JsonMapper.shared().readTree(run.out());
    }

    @Test
    void quickstartWritesEverythingItNames() {
        assertThat(quickstart.exitCode()).as(quickstart.err()).isZero();
        assertThat(quickstart.out()).contains("mean foreground Dice on the unseen hemisphere", "report.html");
        assertThat(output.resolve("model/checkpoint_final.safetensors")).isNotEmptyFile();
        assertThat(output.resolve("predictions/hemisphere_right.nii.gz")).isNotEmptyFile();
        assertThat(output.resolve("summary.json")).isNotEmptyFile();
    }

    @Test
    void reportOfThePhantomSaysSoAndHasNoMissingPart() throws IOException {
        String page = Files.readString(output.resolve("report.html"));
        assertThat(page.contains("DRAWN DATA")).isTrue();
        assertThat(page.contains("hippocampus and amygdala")).isTrue();
        assertThat(page.contains("alt=\"prediction, sagittal")).isTrue();
    }

    @Test
    void quickstartNeverOverwritesAnotherModel() throws IOException {
        Path model = Files.createDirectories(folder.resolve("other/model"));
        String plan = Files.readString(output.resolve("model/plan.json")).replace("\"quickstart\"", "\"liver\"");
        Files.writeString(model.resolve("plan.json"), plan);
        CommandRun again = CommandRun.of(
                "quickstart",
                "--phantom",
                "--epochs",
                "1",
                "-o",
                folder.resolve("other").toString());
        assertThat(again.exitCode()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(again.err().lines()).singleElement().asString().contains("--output");
        assertThat(Files.readString(model.resolve("plan.json"))).isEqualTo(plan);
    }

    @Test
    void sameSeedGivesTheSameBytesAlsoInTheSameFolder() throws IOException {
        Path again = folder.resolve("again");
        for (String threads : new String[] {"1", "3"}) {
            assertThat(CommandRun.of(
                                    "quickstart",
                                    "--phantom",
                                    "--epochs",
                                    "1",
                                    "--threads",
                                    threads,
                                    "-o",
                                    again.toString())
                            .exitCode())
                    .isZero();
            for (String file :
                    new String[] {"model/checkpoint_final.safetensors", "predictions/hemisphere_right.nii.gz"}) {
                assertThat(Files.mismatch(again.resolve(file), output.resolve(file)))
                        .as(file)
                        .isEqualTo(-1);
            }
        }
    }

    @Test
    void predictThenEvaluateAgreesWithTheQuickstart() throws IOException {
        Path masks = folder.resolve("masks");
        CommandRun predicted = CommandRun.of(
                "predict",
                "-m",
                output.resolve("model").toString(),
                "-i",
                dataset().resolve("imagesTs").toString(),
                "-o",
                masks.toString(),
                "--json");
        assertThat(json(predicted).get(0).get("id").asString()).isEqualTo("hemisphere_right");
        Path summary = folder.resolve("summary.json");
        CommandRun evaluated = CommandRun.of(
                "evaluate",
                "-p",
                masks.toString(),
                "-r",
                dataset().resolve("labelsTs").toString(),
                "--dataset",
                dataset().toString(),
                "-o",
                summary.toString(),
                "--json",
                "--strict-json");
        JsonNode mean = json(evaluated).get("mean");
        assertThat(mean.size()).isEqualTo(4);
        JsonNode quick = JsonMapper.shared()
                .readTree(Files.readString(output.resolve("summary.json")).replace("NaN", "null"));
        assertThat(mean.get("1").get("Dice"))
                .isEqualTo(quick.get("mean").get("1").get("Dice"));
        assertThat(summary).exists();
    }

    @Test
    void aDamagedCaseDoesNotStopTheOthers() throws IOException {
        Path images = Files.createDirectories(folder.resolve("images"));
        Files.writeString(images.resolve("a_0000.nii.gz"), "not an image");
        Files.copy(dataset().resolve("imagesTs/hemisphere_right_0000.nii.gz"), images.resolve("b_0000.nii.gz"));
        Path masks = folder.resolve("masks");
        CommandRun run = CommandRun.of(
                "predict", "-m", output.resolve("model").toString(), "-i", images.toString(), "-o", masks.toString());
        assertThat(run.exitCode()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err()).contains("case a failed");
        assertThat(masks.resolve("b.nii.gz")).exists();
        assertThat(masks.resolve("a.nii.gz")).doesNotExist();
    }

    @Test
    void trainTakesAPlanAndResumeOfAFinishedRunChangesNothing() throws IOException {
        Path planFile = folder.resolve("plan.json");
        QuickstartPlan.of(DatasetDescription.read(dataset()), 1, 7).write(planFile);
        Path model = folder.resolve("model");
        CommandRun trained = CommandRun.of(
                "train", dataset().toString(), "-o", model.toString(), "--plan", planFile.toString(), "--seed", "8");
        assertThat(trained.exitCode()).as(trained.err()).isZero();
        assertThat(Plan.read(model.resolve("plan.json")).training().seed()).isEqualTo(8);
        byte[] end = Files.readAllBytes(model.resolve("checkpoint_final.safetensors"));
        assertThat(CommandRun.of("resume", model.toString()).exitCode()).isZero();
        assertThat(Files.readAllBytes(model.resolve("checkpoint_final.safetensors")))
                .isEqualTo(end);
        CommandRun twice = CommandRun.of("train", dataset().toString(), "-o", model.toString());
        assertThat(twice.exitCode()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(twice.err()).contains("resume");
    }

    @Test
    void wrongPathsAreBadInputInOneLine() {
        String nowhere = folder.resolve("nowhere").toString();
        for (String[] command : new String[][] {
            {"train", nowhere, "-o", folder.resolve("m").toString()},
            {"resume", nowhere},
            {"predict", "-m", nowhere, "-i", nowhere, "-o", folder.resolve("p").toString()},
            {"evaluate", "-p", nowhere, "-r", nowhere, "--dataset", nowhere},
            {"inspect", nowhere}
        }) {
            CommandRun run = CommandRun.of(command);
            assertThat(run.exitCode()).as(command[0] + ": " + run.err()).isEqualTo(ExitCode.BAD_INPUT);
            assertThat(run.err().lines()).as(command[0]).hasSize(1);
            assertThat(run.err()).contains("nowhere");
        }
    }

    @Test
    void anUnknownDeviceIsAUsageErrorAndAMissingOneAFailure() {
        assertThat(CommandRun.of("quickstart", "--device", "tpu").exitCode()).isEqualTo(ExitCode.USAGE);
        CommandRun run = CommandRun.of(
                "predict",
                "--device",
                "cuda:99",
                "-m",
                output.resolve("model").toString(),
                "-i",
                dataset().resolve("imagesTs").toString(),
                "-o",
                folder.resolve("p").toString());
        assertThat(run.exitCode()).isEqualTo(ExitCode.FAILURE);
        assertThat(run.err().lines()).hasSize(1);
    }

    @Test
    void inspectKnowsEveryKindOfFile() {
        assertThat(json(CommandRun.of(
                                "inspect", "--json", output.resolve("model").toString()))
                        .get("kind")
                        .asString())
                .isEqualTo("model");
        JsonNode tensors = json(CommandRun.of(
                "inspect",
                "--json",
                output.resolve("model/checkpoint_final.safetensors").toString()));
        assertThat(tensors.get("facts").get("weights").intValue()).isGreaterThan(10_000);
        JsonNode image = json(CommandRun.of(
                "inspect",
                "--json",
                output.resolve("predictions/hemisphere_right.nii.gz").toString()));
        assertThat(image.get("facts").get("shapeZyx").toString()).isEqualTo("[60,72,30]");
        assertThat(image.get("facts").get("voxelType").asString()).isEqualTo("U8");
        CommandRun dataSet = CommandRun.of("inspect", dataset().toString());
        assertThat(dataSet.out()).contains("hemisphere_left_mirrored", "cases");
        assertThat(CommandRun.of("inspect", output.resolve("model/plan.json").toString())
                        .out())
                .contains("seed", "1234");
    }
}
