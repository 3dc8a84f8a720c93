package dev.voxgrad.engine.train;

import static org.assertj.core.api.Assertions.assertThat;

import dev.voxgrad.engine.nn.NetworkCost;
import dev.voxgrad.engine.plan.Plan;
import dev.voxgrad.engine.profile.Recording;
import dev.voxgrad.engine.tensor.Device;
import dev.voxgrad.engine.tensor.Profiler.Phase;
import dev.voxgrad.engine.tensor.Shape;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What a profile of a whole training knows. */
class ProfiledTrainingTest {
    @TempDir
    private Path folder;

    private static Recording record(Plan plan, Path folder) throws InterruptedException {
        try (Device device = Device.cpu(1);
                Recording recording = Recording.start(device)) {
            TinyTraining.trainer(plan, device, folder).start();
            recording.stop();
            return recording;
        }
    }

    @ParameterizedTest
    @EnumSource(ResumeTest.Variant.class)
    void everyKernelSaysWhatItDoes(ResumeTest.Variant variant) throws InterruptedException {
        Recording recording = record(variant.plan(2), folder);
        assertThat(recording.calls()).allSatisfy(call -> {
            assertThat(call.work().kernel()).isNotEqualTo("unnamed");
            assertThat(call.work().bytes()).as(call.work().kernel()).isPositive();
        });
        assertThat(recording.calls())
                .extracting(Recording.Call::phase)
                .contains(Phase.FORWARD, Phase.BACKWARD, Phase.UPDATE);
        assertThat(recording.hostNs().keySet())
                .contains(
                        new Recording.Activity(Phase.DATA, "wait for batch"),
                        new Recording.Activity(Phase.DATA, "upload"));
    }

    @Test
    void convolutionsOfAllStepsDoTheWorkThatTheNetworkCosts() throws InterruptedException {
        // With deep supervision the lowest output has weight 0 and its head no gradient.
        Plan plan = TinyTraining.withDropout(TinyTraining.plan(2, "adamw"));
        Recording recording = record(plan, folder);
        long flops = recording.calls().stream()
                .filter(c -> c.work().kernel().startsWith("conv"))
                .mapToLong(c -> c.work().flops())
                .sum();
        NetworkCost cost = NetworkCost.of(plan.network(), new Shape(2, 8, 8, 12, 1));
        int epochs = plan.training().epochs();
        long steps = (long) epochs * plan.training().iterationsPerEpoch();
        long validations = (long) epochs * plan.training().validationIterations();
        assertThat(flops).isEqualTo(steps * cost.trainingFlops() + validations * cost.forwardFlops());
    }

    @Test
    void lossBelongsToItsOwnLayerInBothDirections() throws InterruptedException {
        Recording recording = record(TinyTraining.plan(2, "sgd"), folder);
        assertThat(recording.calls())
                .filteredOn(c -> c.work().kernel().startsWith("segloss"))
                .isNotEmpty()
                .allSatisfy(c -> assertThat(c.layer()).isEqualTo("loss"));
        assertThat(recording.calls())
                .filteredOn(c -> c.work().kernel().equals("sgd_step"))
                .allSatisfy(c -> assertThat(c.phase()).isEqualTo(Phase.UPDATE));
    }

    @Test
    void profilingChangesNoBit() throws Exception {
        Plan plan = TinyTraining.plan(2, "sgd");
        record(plan, folder.resolve("watched"));
        try (Device device = Device.cpu(1)) {
            TinyTraining.trainer(plan, device, folder.resolve("plain")).start();
        }
        assertThat(Files.readAllBytes(new ModelFolder(folder.resolve("watched")).end()))
                .isEqualTo(Files.readAllBytes(new ModelFolder(folder.resolve("plain")).end()));
    }
}
