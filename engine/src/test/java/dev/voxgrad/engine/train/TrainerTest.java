package dev.voxgrad.engine.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.DataException;
import dev.voxgrad.engine.plan.Plan;
import dev.voxgrad.engine.tensor.Device;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TrainerTest {
    @TempDir
    Path folder;

    private Path train(String name, Plan plan, int threads) throws InterruptedException {
        Path model = folder.resolve(name);
        try (Device device = Device.cpu(threads)) {
            TinyTraining.trainer(plan, device, model).start();
        }
        return model;
    }

    private static Path end(Path model) {
        return new ModelFolder(model).end();
    }

    @ParameterizedTest
    @ValueSource(strings = {"sgd", "adamw"})
    void trainingLearnsAndLogsEveryEpoch(String optimizer) throws Exception {
        Path model = train("m", TinyTraining.plan(40, optimizer), 2);
        List<EpochRecord> log = TrainingLog.read(model.resolve("training_log.jsonl"));
        assertThat(log).hasSize(40);
        assertThat(log)
                .extracting(EpochRecord::epoch)
                .containsExactlyElementsOf(
                        java.util.stream.IntStream.range(0, 40).boxed().toList());
        assertThat(log.getLast().trainLoss()).isLessThan(0.6 * log.getFirst().trainLoss());
        assertThat(log.getLast().emaDice()).isGreaterThan(0.3);
        ModelFolder files = new ModelFolder(model);
        assertThat(files.best()).exists();
        assertThat(files.end()).exists();
        assertThat(files.latest()).doesNotExist();
        assertThat(files.readPlan()).isEqualTo(TinyTraining.plan(40, optimizer));
    }

    @Test
    void threadsDoNotChangeTheModel() throws Exception {
        Path one = end(train("t1", TinyTraining.plan(3, "adamw"), 1));
        for (int threads : new int[] {2, 3, 7}) {
            Interruption.assertSameBytes(end(train("t" + threads, TinyTraining.plan(3, "adamw"), threads)), one);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"sgd", "adamw"})
    void resumeEqualsNoInterruption(String optimizer) throws Exception {
        Interruption.assertStopChangesNothing(TinyTraining.plan(6, optimizer), folder);
    }

    /** Dropout draws by epoch and iteration, so a resumed run drops what the whole run dropped. */
    @Test
    void resumeOfANetworkWithDropoutEqualsNoInterruption() throws Exception {
        Interruption.assertStopChangesNothing(TinyTraining.withDropout(TinyTraining.plan(6, "adamw")), folder);
    }

    /** Ten SIGKILLs at random moments; whatever is found in the folder must be readable, and the end must be the same bytes. */
    @Test
    void killedAtRandomEndsInTheSameBytes() throws Exception {
        Interruption.assertKillsChangeNothing(
                folder, TinyTraining.class, 400, 10, 100, killed -> readable(killed.path()));
    }

    private static void readable(Path model) {
        ModelFolder files = new ModelFolder(model);
        for (Path file : List.of(files.latest(), files.best(), files.end())) {
            if (Files.exists(file)) {
                try (var tensors = dev.voxgrad.engine.Safetensors.open(file)) {
                    assertThat(tensors.names()).isNotEmpty().allSatisfy(name -> tensors.f32(name));
                }
            }
        }
        TrainingLog.read(files.log());
    }

    @Test
    void fullDiskKeepsTheOldCheckpoint() throws Exception {
        Path disk = Files.createDirectory(folder.resolve("disk"));
        assumeTrue(
                new ProcessBuilder("mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", disk.toString())
                                .redirectErrorStream(true)
                                .start()
                                .waitFor()
                        == 0,
                "skipped: mounting a small tmpfs needs root");
        try {
            Path model = disk.resolve("m");
            Plan plan = TinyTraining.plan(4, "adamw");
            try (Device device = Device.cpu(1)) {
                Trainer trainer = new Trainer(
                        plan,
                        TinyTraining.LOSS,
                        TinyTraining.cases(4, 1),
                        List.of(),
                        device,
                        new ModelFolder(model),
                        new TrainingListener() {
                            @Override
                            public void epoch(EpochRecord record) {
                                if (record.epoch() == 0) {
                                    fill(disk.resolve("filler"));
                                }
                            }
                        });
                assertThatThrownBy(trainer::start)
                        .isInstanceOf(DataException.class)
                        .hasMessageContaining("cannot write")
                        .hasMessageContaining("No space left on device");
            }
            readable(model);
            assertThat(new ModelFolder(model).latest()).exists();
            Files.delete(disk.resolve("filler"));
            try (Device device = Device.cpu(1)) {
                new Trainer(
                                plan,
                                TinyTraining.LOSS,
                                TinyTraining.cases(4, 1),
                                List.of(),
                                device,
                                new ModelFolder(model),
                                TrainingListener.silent())
                        .resume();
            }
            assertThat(new ModelFolder(model).end()).exists();
        } finally {
            new ProcessBuilder("umount", disk.toString()).start().waitFor();
        }
    }

    private static void fill(Path file) {
        try (var out = Files.newOutputStream(file)) {
            byte[] block = new byte[1024];
            while (true) {
                out.write(block);
            }
        } catch (IOException expected) {
            // The disk is full now, as wanted.
        }
    }

    @Test
    void runThatExistsIsNotOverwritten() throws Exception {
        Path model = train("m", TinyTraining.plan(2, "sgd"), 1);
        try (Device device = Device.cpu(1)) {
            Trainer again = TinyTraining.trainer(TinyTraining.plan(2, "sgd"), device, model);
            assertThatThrownBy(again::start)
                    .isInstanceOf(ConfigException.class)
                    .hasMessageContaining("holds a training already");
            Path before = Files.copy(end(model), folder.resolve("before"));
            again.resume(); // finished: nothing to do
            Interruption.assertSameBytes(end(model), before);
        }
    }

    @Test
    void earlyStopEndsTheRun() throws Exception {
        Plan plan = TinyTraining.plan(60, "sgd");
        Plan early = plan.withTraining(t -> {
            t.learningRate = 1e-9;
            t.schedule = "constant";
            t.warmUpEpochs = 0;
            t.iterationsPerEpoch = 1;
            t.validationIterations = 1;
            t.earlyStopPatience = 2;
            t.checkpointEvery = 10;
        });
        Path model = train("m", early, 1);
        assertThat(TrainingLog.read(model.resolve("training_log.jsonl")).size()).isLessThan(60);
        assertThat(new ModelFolder(model).end()).exists();
    }
}
