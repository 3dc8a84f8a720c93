package dev.voxgrad.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.voxgrad.engine.nn.NetworkSpec;
import dev.voxgrad.engine.nn.Networks;
import dev.voxgrad.engine.plan.Plan;
import dev.voxgrad.engine.plan.Training;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What {@code inspect} says about the cost of networks. */
class InspectCommandTest {
    @TempDir
    private Path folder;

    /** nnU-Net's network for isotropic patches of 128 voxels, batches of two. */
    private Path largePlan(Path file) {
        NetworkSpec network = Networks.plainUNet(
                1, 2, Networks.doubled(32, 6, 320), Networks.cubes(3, 3, 6), Networks.halvings(3, 6), true);
        Plan tiny = TinyDataset.valid(folder.resolve("data")).plan(List.of(8, 8, 8));
        tiny.with(p -> {
                    p.patchSize = List.of(128, 128, 128);
                    p.network = network;
                    p.training = Training.standard();
                })
                .write(file);
        return file;
    }

    private static JsonNode json(Path path) {
        CommandRun run = CommandRun.of("inspect", "--json", path.toString());
        assertThat(run.exitCode()).as(run.err()).isZero();
        return JsonMapper.shared().readTree(run.out());
    }

    @Test
    void aPlanShowsTheCountsOfThePublishedNetwork() {
        JsonNode found = json(largePlan(folder.resolve("plan.json")));
        JsonNode facts = found.get("facts");
        assertThat(facts.get("parameters").longValue()).isEqualTo(31_195_594);
        assertThat(facts.get("forwardGmac").doubleValue()).isCloseTo(477.28, within(0.005));
        assertThat(facts.get("forwardGflop").doubleValue()).isCloseTo(2 * 477.28, within(0.01));
        double first = 128.0 * 128 * 128 * 32 * 27 / 1e9; // its input is the image and needs no gradient
        assertThat(facts.get("trainingStepGflop").doubleValue()).isCloseTo(2 * 2 * (3 * 477.28 - first), within(0.1));
    }

    @Test
    void aPlanShowsHowItTrainsAndTheSizesOfItsStages() {
        JsonNode facts = json(largePlan(folder.resolve("plan.json"))).get("facts");
        assertThat(facts.get("schedule").asString()).isEqualTo("poly");
        assertThat(facts.get("weightDecay").doubleValue()).isEqualTo(3e-5);
        assertThat(facts.get("gradientClip").doubleValue()).isEqualTo(12);
        assertThat(facts.get("weightEma").doubleValue()).isZero();
        assertThat(facts.get("kernels").size()).isEqualTo(6);
        assertThat(facts.get("strides").toString()).startsWith("[[1,1,1],[2,2,2],");
    }

    @Test
    void stagesAddUpToTheNetwork() {
        JsonNode found = json(largePlan(folder.resolve("plan.json")));
        JsonNode rows = found.get("rows");
        assertThat(rows.size()).isEqualTo(11);
        assertThat(rows.get(0).toString())
                .isEqualTo("{\"stage\":\"encoder 0\",\"sizeZyx\":[128,128,128],\"channels\":32,\"parameters\":28704,"
                        + "\"gmac\":59.794}");
        assertThat(rows.get(5).get("sizeZyx").toString()).isEqualTo("[4,4,4]");
        assertThat(rows.values().stream()
                        .mapToLong(r -> r.get("parameters").longValue())
                        .sum())
                .isEqualTo(31_195_594);
        assertThat(rows.values().stream()
                        .mapToDouble(r -> r.get("gmac").doubleValue())
                        .sum())
                .isCloseTo(477.28, within(0.01));
    }

    @Test
    void theTableHasAHeaderAndAModelHasTheSameFacts() throws Exception {
        Path model = Files.createDirectories(folder.resolve("model"));
        largePlan(model.resolve("plan.json"));
        CommandRun run = CommandRun.of("inspect", model.toString());
        assertThat(run.exitCode()).as(run.err()).isZero();
        assertThat(run.out())
                .containsPattern("parameters +31195594")
                .containsPattern("forwardGmac +477\\.276")
                .containsPattern("stage +sizeZyx +channels +parameters +gmac\\R")
                .containsPattern("decoder 0 +\\[128, 128, 128] +32 +");
    }
}
