package dev.voxgrad.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.voxgrad.engine.image.NiftiReader;
import dev.voxgrad.engine.plan.Outputs;
import dev.voxgrad.engine.plan.Plan;
import dev.voxgrad.engine.train.EpochRecord;
import dev.voxgrad.engine.train.ModelFolder;
import dev.voxgrad.engine.train.TrainingLog;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Trainings whose network has a channel per foreground label, from the data set to the scores. */
class SigmoidTrainingTest {
    private static final String LOSS = "blob(dice + bce)";

    @TempDir
    Path folder;

    private TinyDataset data;
    private CommandFolder work;

    @BeforeEach
    void dataset() {
        data = TinyDataset.valid(folder.resolve("data"));
        work = new CommandFolder(folder, data, folder.resolve("model"));
    }

    /** A plan that learns bright planes in a few dozen steps. */
    private Plan plan(Map<String, Integer> labels, int classes) {
        Plan tiny = data.plan(List.of(8, 8, 8));
        return tiny.with(p -> {
            p.labels = labels;
            p.network = p.network.withClasses(classes);
            p.training = p.training.with(t -> t.learningRate = 0.03);
        });
    }

    private Plan trained(Plan plan) {
        plan.write(data.planFile());
        CommandRun run = work.train("--loss", LOSS, "--epochs", "30");
        assertThat(run.exitCode()).as(run.err()).isZero();
        EpochRecord last = TrainingLog.read(new ModelFolder(work.model()).log()).getLast();
        assertThat(last.dicePerClass())
                .hasSize(plan.labelNames().foreground().size())
                .allSatisfy(dice -> assertThat(dice).isGreaterThan(0.9));
        return Plan.read(work.model().resolve("plan.json"));
    }

    /** Predicts the training images, and checks what labels there are and how good they are. */
    private void assertPredicts(Short... labels) {
        CommandRun predicted = work.predict(data.path("imagesTr"));
        assertThat(predicted.exitCode()).as(predicted.err()).isZero();
        for (String id : TinyDataset.CASES) {
            short[] mask = NiftiReader.readLabels(work.masks().resolve(id + ".nii.gz"))
                    .labels()
                    .labels();
            assertThat(mask).containsOnly(labels);
        }
        CommandRun scores = CommandRun.of(
                "evaluate",
                "-p",
                work.masks().toString(),
                "-r",
                data.path("labelsTr").toString(),
                "--dataset",
                data.folder().toString(),
                "--json");
        assertThat(scores.exitCode()).as(scores.err()).isZero();
        JsonNode mean = JsonMapper.shared().readTree(scores.out()).get("mean");
        assertThat(mean.size()).isEqualTo(labels.length - 1);
        mean.forEach(label -> assertThat(label.get("Dice").doubleValue()).isGreaterThan(0.9));
    }

    @Test
    void oneForegroundLabelIsOneChannel() {
        Plan plan = trained(plan(data.plan(List.of(8, 8, 8)).labels(), 2));
        assertThat(plan.outputs()).isEqualTo(Outputs.SIGMOID);
        assertThat(plan.network().classes()).isEqualTo(1);
        assertThat(plan.training().loss()).isEqualTo(LOSS);
        assertPredicts((short) 0, (short) 1);
        assertThat(CommandRun.of("inspect", work.model().toString()).out()).containsPattern("outputs +sigmoid");
    }

    @Test
    void twoForegroundLabelsWithVoxelsToIgnore() {
        Map<String, Integer> labels = new LinkedHashMap<>();
        List.of("background", "left", "right", "ignore").forEach(name -> labels.put(name, labels.size()));
        data.text(
                "dataset.json",
                TinyDataset.description(2).replace("\"lesion\": 1", "\"left\": 1, \"right\": 2, \"ignore\": 3"));
        data.halvesWithPlaneToIgnore();
        Plan plan = trained(plan(labels, 3));
        assertThat(plan.network().classes()).isEqualTo(2);
        assertPredicts((short) 0, (short) 1, (short) 2);
    }

    @Test
    void aPlanWhoseOutputsDoNotFitItsLossIsRefused() {
        Plan softmax = plan(data.plan(List.of(8, 8, 8)).labels(), 2);
        softmax.withTraining(t -> t.loss = "bce").write(data.planFile());
        work.assertTrainingRefused(
                data.planFile(), "\"bce\" needs the outputs sigmoid", "has softmax", "network.classes 1");
        softmax.withOutputs(Outputs.SIGMOID).write(data.planFile());
        work.assertTrainingRefused("\"dice + ce\" needs the outputs softmax", "has sigmoid", "network.classes 2");
    }

    @Test
    void anotherLossOfTheCommandLineChangesTheOutputs() {
        Plan sigmoid = plan(data.plan(List.of(8, 8, 8)).labels(), 2).withOutputs(Outputs.SIGMOID);
        sigmoid.withTraining(t -> t.loss = "dice(sigmoid=true)").write(data.planFile());
        CommandRun run = work.train("--loss", "ce");
        assertThat(run.exitCode()).as(run.err()).isZero();
        Plan plan = Plan.read(work.model().resolve("plan.json"));
        assertThat(plan.outputs()).isEqualTo(Outputs.SOFTMAX);
        assertThat(plan.network().classes()).isEqualTo(2);
    }
}
