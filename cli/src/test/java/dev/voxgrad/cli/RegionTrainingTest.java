package dev.voxgrad.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.voxgrad.engine.Safetensors;
import dev.voxgrad.engine.image.NiftiReader;
import dev.voxgrad.engine.plan.DatasetDescription;
import dev.voxgrad.engine.plan.LabelNames;
import dev.voxgrad.engine.plan.Outputs;
import dev.voxgrad.engine.plan.Plan;
import dev.voxgrad.engine.train.EpochRecord;
import dev.voxgrad.engine.train.ModelFolder;
import dev.voxgrad.engine.train.TrainingLog;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A data set whose labels are regions that overlap: the core lies within the whole, the first plane does not count. */
class RegionTrainingTest {
    private static final String REGIONS =
            "\"labels\": {\"background\": 0, \"whole\": [1, 2], \"core\": [2], \"ignore\": 3},"
                    + " \"regions_class_order\": [1, 2]";

    @TempDir
    Path folder;

    private TinyDataset data;
    private CommandFolder work;

    @BeforeEach
    void dataset() {
        data = TinyDataset.valid(folder.resolve("data"));
        work = new CommandFolder(folder, data, folder.resolve("model"));
        describe(REGIONS);
        data.halvesWithPlaneToIgnore();
        plan().write(data.planFile());
    }

    private void describe(String labels) {
        data.text(
                "dataset.json",
                TinyDataset.description(2).replace("\"labels\": {\"background\": 0, \"lesion\": 1}", labels));
    }

    /** A plan that learns bright planes in a few dozen steps. */
    private Plan plan() {
        Plan tiny = data.plan(List.of(8, 8, 8));
        LabelNames names = DatasetDescription.read(data.folder()).labels();
        return tiny.with(p -> {
            p.labels = names.byName();
            p.outputs = Outputs.SIGMOID;
            p.regions = names.regions();
            p.training = p.training.with(t -> {
                t.loss = "dice + bce(reduction=voxel)";
                t.optimizer = "adamw";
                t.learningRate = 0.03;
                t.schedule = "poly";
            });
        });
    }

    @Test
    void trainsPredictsAndScoresRegions() {
        CommandRun run = work.train("--epochs", "60");
        assertThat(run.exitCode()).as(run.err()).isZero();
        Plan plan = Plan.read(work.model().resolve("plan.json"));
        assertThat(plan.labelNames().regions()).hasSize(2);
        EpochRecord last = TrainingLog.read(new ModelFolder(work.model()).log()).getLast();
        assertThat(last.dicePerClass())
                .hasSize(2)
                .allSatisfy(dice -> assertThat(dice).isGreaterThan(0.9));
        assertThat(CommandRun.of("inspect", work.model().toString()).out())
                .contains("channel 0, labels [1, 2], written as 1", "channel 1, labels [2], written as 2");

        CommandRun predicted = work.predict(data.path("imagesTr"), work.masks(), "--probabilities");
        assertThat(predicted.exitCode()).as(predicted.err()).isZero();
        assertMasksFollowFromProbabilities();
        assertScores();
    }

    /** Whole above 1/2 is 1, then core above 1/2 is 2, whatever whole says. */
    private void assertMasksFollowFromProbabilities() {
        for (String id : TinyDataset.CASES) {
            short[] mask = NiftiReader.readLabels(work.masks().resolve(id + ".nii.gz"))
                    .labels()
                    .labels();
            assertThat(mask).containsOnly((short) 0, (short) 1, (short) 2);
            try (Safetensors file = Safetensors.open(work.masks().resolve(id + ".safetensors"))) {
                float[] p = file.f32("probabilities");
                for (int i = 0; i < mask.length; i++) {
                    assertThat((int) mask[i]).isEqualTo(p[mask.length + i] > 0.5 ? 2 : p[i] > 0.5 ? 1 : 0);
                }
            }
        }
    }

    private void assertScores() {
        CommandRun scores = CommandRun.of(
                "evaluate",
                "-p",
                work.masks().toString(),
                "-r",
                data.path("labelsTr").toString(),
                "--dataset",
                work.model().toString(),
                "--probabilities",
                work.masks().toString(),
                "--metrics",
                "dice,ece",
                "--strict-json",
                "--json");
        assertThat(scores.exitCode()).as(scores.err()).isZero();
        JsonNode root = JsonMapper.shared().readTree(scores.out());
        JsonNode mean = root.get("mean");
        assertThat(mean.propertyNames()).containsExactlyInAnyOrder("(1, 2)", "(2,)");
        mean.forEach(region -> {
            assertThat(region.get("Dice").doubleValue()).isGreaterThan(0.9);
            assertThat(region.get("ece").doubleValue()).isBetween(0.0, 0.3);
        });
        double average = (mean.get("(1, 2)").get("Dice").doubleValue()
                        + mean.get("(2,)").get("Dice").doubleValue())
                / 2;
        assertThat(root.get("foreground_mean").get("Dice").doubleValue()).isEqualTo(average);
    }

    @Test
    void aLossOfSoftmaxIsRefused() {
        String[] texts = {"\"dice + ce\" is for labels that exclude each other", "[whole, core]", "\"dice + bce\""};
        work.assertRefused(work.train("--loss", "dice + ce"), work.tree(), (Object[]) texts);
        Plan plan = plan();
        plan.withTraining(t -> t.loss = "dice + ce").write(data.planFile());
        work.assertTrainingRefused((Object[]) texts);
    }

    @Test
    void aPlanOfOtherRegionsIsRefused() {
        describe(REGIONS.replace("\"regions_class_order\": [1, 2]", "\"regions_class_order\": [2, 1]"));
        work.assertTrainingRefused(data.planFile(), "regions is", "use the plan of this data set");
    }

    @Test
    void anOrderThatLeavesARegionIsNoted() {
        describe(REGIONS.replace("\"core\": [2]", "\"core\": [2], \"rim\": 1")
                .replace("_order\": [1, 2]", "_order\": [1, 2, 2]"));
        CommandRun run = work.train();
        assertThat(run.exitCode()).isEqualTo(ExitCode.BAD_INPUT); // the plan has other regions
        assertThat(run.out()).contains("regions_class_order has 2 for the region \"rim\", which does not contain it");
    }
}
