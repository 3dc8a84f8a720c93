package dev.voxgrad.engine.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.voxgrad.engine.plan.Plan;
import dev.voxgrad.engine.tensor.Device;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** A training that is interrupted and resumed ends in the bytes of one that was not. */
final class Interruption {
    private Interruption() {}

    /** An exception in the middle of an epoch, three numbers of threads; the plan has six epochs. */
    static void assertStopChangesNothing(Plan plan, Path folder) throws InterruptedException, IOException {
        ModelFolder whole = new ModelFolder(folder.resolve("whole"));
        try (Device device = Device.cpu(2)) {
            TinyTraining.trainer(plan, device, whole.path()).start();
        }
        ModelFolder stopped = new ModelFolder(folder.resolve("stopped"));
        try (Device device = Device.cpu(3)) {
            TrainingListener listener = new TrainingListener() {
                @Override
                public void step(int epoch, int iteration, double loss) {
                    if (epoch == 3 && iteration == 1) {
                        throw new IllegalStateException("stopped in the middle of an epoch");
                    }
                }
            };
            Trainer trainer = TinyTraining.trainer(plan, TinyTraining.LOSS, device, stopped.path(), listener);
            assertThatThrownBy(trainer::start).hasMessageContaining("stopped in the middle");
        }
        assertThat(stopped.latest()).exists();
        try (Device device = Device.cpu(1)) {
            TinyTraining.trainer(plan, device, stopped.path()).resume();
        }
        assertSameBytes(stopped.end(), whole.end());
        assertSameBytes(stopped.best(), whole.best());
        assertThat(TrainingLog.read(stopped.log())).hasSize(6);
    }

    /**
     * SIGKILL at random moments.
     *
     * @param main starts or resumes a training; its arguments are a folder, a number of epochs, and {@code more}
     * @param mostMillis longest time from the end of an epoch to the kill
     * @param afterKill looks at what is left
     */
    static void assertKillsChangeNothing(
            Path folder,
            Class<?> main,
            int epochs,
            int kills,
            int mostMillis,
            Consumer<ModelFolder> afterKill,
            String... more)
            throws InterruptedException, IOException {
        ModelFolder whole = new ModelFolder(folder.resolve("whole"));
        assertThat(run(main, whole, epochs, more).waitFor()).isZero();
        long seed = System.nanoTime();
        System.out.println("kills of " + main.getName() + ": seed " + seed);
        Random random = new Random(seed);
        ModelFolder killed = new ModelFolder(folder.resolve("killed"));
        for (int i = 0; i < kills; i++) {
            int logged = TrainingLog.read(killed.log()).size();
            Process process = run(main, killed, epochs, more);
            while (process.isAlive() && TrainingLog.read(killed.log()).size() <= logged) {
                Thread.sleep(5);
            }
            assertThat(process.waitFor(random.nextInt(mostMillis), TimeUnit.MILLISECONDS))
                    .as("kill %d must hit a run that is not finished", i + 1)
                    .isFalse();
            process.destroyForcibly().waitFor();
            afterKill.accept(killed);
        }
        assertThat(run(main, killed, epochs, more).waitFor()).isZero();
        assertSameBytes(killed.end(), whole.end());
        assertThat(TrainingLog.read(killed.log())).hasSize(epochs);
    }

    private static Process run(Class<?> main, ModelFolder model, int epochs, String... more) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "--enable-native-access=ALL-UNNAMED",
                "-Dvoxgrad.native.path=" + System.getProperty("voxgrad.native.path"),
                "-cp",
                System.getProperty("java.class.path"),
                main.getName(),
                model.path().toString(),
                Integer.toString(epochs)));
        command.addAll(List.of(more));
        return new ProcessBuilder(command).inheritIO().start();
    }

    static void assertSameBytes(Path found, Path expected) throws IOException {
        assertThat(Files.mismatch(found, expected))
                .as("first byte at which %s differs", found)
                .isEqualTo(-1);
    }
}
