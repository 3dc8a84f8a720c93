package dev.voxgrad.engine.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.voxgrad.engine.infer.Predictor;
import dev.voxgrad.engine.nn.Initializer;
import dev.voxgrad.engine.nn.Module;
import dev.voxgrad.engine.nn.Networks;
import dev.voxgrad.engine.plan.Plan;
import dev.voxgrad.engine.plan.PreparedCase;
import dev.voxgrad.engine.tensor.Device;
import dev.voxgrad.engine.tensor.Scope;
import dev.voxgrad.golden.Devices;
import dev.voxgrad.golden.EachDevice;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Native memory has an owner: work repeated for long needs no more of it than work done once. */
class NativeMemoryTest {
    private static final Path STATUS = Path.of("/proc/self/status");
    private static final int EPOCHS = 70; // 210 steps
    private static final int PREDICTIONS = 50;

    /** Where resident memory is settled: 30 steps, or 10 predictions. */
    private static final int WARM = 10;

    /** What compiled code may add after warm-up. 180 leaked steps of the tiny network are about 80 MB, 60 staging buffers too. */
    private static final long RESIDENT_GROWTH_BYTES = 8L << 20;

    private record PoolUse(long live, long blocks, long reserved, long arena, long allocations) {
        static PoolUse of(Device device) {
            var now = device.describe();
            return new PoolUse(
                    now.poolLiveBytes(),
                    now.poolLiveBlocks(),
                    now.poolReservedBytes(),
                    now.arenaBytes(),
                    now.systemAllocations());
        }
    }

    @EachDevice
    void twoHundredStepsNeedTheMemoryOfTheFirst(String name, @TempDir Path folder) throws Exception {
        try (Device device = Devices.open(name)) {
            List<PoolUse> uses = new ArrayList<>();
            train(device, folder, () -> uses.add(PoolUse.of(device)));
            assertThat(uses).hasSize(EPOCHS);
            assertConstant(uses);
            assertThat(PoolUse.of(device).live()).as("after the training").isZero();
        }
    }

    @EachDevice
    void fiftyPredictionsNeedTheMemoryOfTheFirst(String name) {
        try (Device device = Devices.open(name)) {
            List<PoolUse> uses = new ArrayList<>();
            predict(device, () -> uses.add(PoolUse.of(device)));
            assertThat(uses).hasSize(PREDICTIONS);
            assertConstant(uses);
            assertThat(PoolUse.of(device).live())
                    .as("after the model was closed")
                    .isZero();
        }
    }

    /** In a process of its own whose Java heap is resident from the start, so that all growth is native memory. */
    @Test
    void residentMemoryIsBounded(@TempDir Path folder) throws Exception {
        assumeTrue(Files.exists(STATUS), "skipped: resident memory is read from " + STATUS);
        Path output = folder.resolve("output.txt");
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xms96m",
                        "-Xmx96m",
                        "-XX:+AlwaysPreTouch",
                        "-XX:TieredStopAtLevel=1",
                        "--enable-native-access=ALL-UNNAMED",
                        "-Dvoxgrad.native.path=" + System.getProperty("voxgrad.native.path"),
                        "-cp",
                        System.getProperty("java.class.path"),
                        NativeMemoryTest.class.getName(),
                        folder.resolve("model").toString())
                .redirectOutput(output.toFile())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        assertThat(process.waitFor()).as("exit code").isZero();
        List<Long> resident =
                Files.readAllLines(output).stream().map(Long::valueOf).toList();
        assertThat(resident).hasSize(EPOCHS + PREDICTIONS);
        assertBounded("training", resident.subList(WARM, EPOCHS));
        assertBounded("prediction", resident.subList(EPOCHS + WARM, EPOCHS + PREDICTIONS));
    }

    private static void assertBounded(String what, List<Long> resident) {
        assertThat(Collections.max(resident) - resident.getFirst())
                .as("growth of resident memory in bytes, %s: %s", what, resident)
                .isLessThan(RESIDENT_GROWTH_BYTES);
    }

    /** Trains, then predicts, and prints the resident bytes after each epoch and each prediction. */
    public static void main(String[] args) throws Exception {
        try (Device device = Device.cpu(2)) {
            train(device, Path.of(args[0]), NativeMemoryTest::printResident);
            predict(device, NativeMemoryTest::printResident);
        }
    }

    private static void printResident() {
        try (Stream<String> lines = Files.lines(STATUS)) {
            lines.filter(line -> line.startsWith("VmRSS:"))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) << 10)
                    .forEach(System.out::println);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void train(Device device, Path folder, Runnable afterEpoch) throws InterruptedException {
        TrainingListener listener = new TrainingListener() {
            @Override
            public void epoch(EpochRecord record) {
                afterEpoch.run();
            }
        };
        Plan plan = TinyTraining.plan(EPOCHS, "adamw");
        TinyTraining.trainer(plan, TinyTraining.LOSS, device, folder, listener).start();
    }

    private static void predict(Device device, Runnable afterEach) {
        Plan plan = TinyTraining.plan(2, "sgd");
        PreparedCase prepared = TinyTraining.cases(1, 3).getFirst();
        try (Scope model = device.scope()) {
            Predictor predictor = Predictor.of(plan, List.of(network(plan, model)), device);
            PoolUse before = PoolUse.of(device);
            short[] first = predictor.predict(prepared, (done, total) -> {}).labels();
            for (int i = 0; i < PREDICTIONS; i++) {
                short[] again = predictor.predict(prepared, (done, total) -> {}).labels();
                assertThat(Arrays.equals(again, first)).as("same labels").isTrue();
                assertThat(PoolUse.of(device).live()).isEqualTo(before.live());
                afterEach.run();
            }
        }
    }

    @EachDevice
    void closedModelPredictsNothingAndLeavesNothing(String name) {
        Plan plan = TinyTraining.plan(2, "sgd");
        PreparedCase prepared = TinyTraining.cases(1, 3).getFirst();
        try (Device device = Devices.open(name)) {
            Module network;
            try (Scope model = device.scope()) {
                network = network(plan, model);
            }
            Predictor predictor = Predictor.of(plan, List.of(network), device);
            assertThatIllegalStateException()
                    .isThrownBy(() -> predictor.predict(prepared, (done, total) -> {}))
                    .withMessageContaining("closed");
            assertThat(PoolUse.of(device).live()).isZero();
        }
    }

    private static Module network(Plan plan, Scope scope) {
        Module network = Networks.create(plan.network().withoutDeepSupervision(), scope);
        network.parameters().initialize(Initializer.HE_LEAKY, 1);
        return network;
    }

    /** Live memory is the same from the first use on; after the second the system is asked for nothing more. */
    private static void assertConstant(List<PoolUse> uses) {
        PoolUse warm = uses.get(1);
        assertThat(uses).extracting(PoolUse::live).containsOnly(warm.live());
        assertThat(uses).extracting(PoolUse::blocks).containsOnly(warm.blocks());
        List<PoolUse> later = uses.subList(1, uses.size());
        assertThat(later).extracting(PoolUse::reserved).containsOnly(warm.reserved());
        assertThat(later).extracting(PoolUse::allocations).containsOnly(warm.allocations());
        assertThat(warm.arena()).as("planned bytes").isPositive();
    }
}
