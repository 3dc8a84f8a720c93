package dev.voxgrad.engine.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.autograd.Tape;
import dev.voxgrad.engine.op.Loss;
import dev.voxgrad.engine.op.Progress;
import dev.voxgrad.engine.plan.Plan;
import dev.voxgrad.engine.plan.Recompute;
import dev.voxgrad.engine.tensor.Device;
import dev.voxgrad.engine.tensor.Labels;
import dev.voxgrad.engine.tensor.Tensor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What a training needs is known before it starts, and is what it then takes. */
class TrainingMemoryTest {
    private static final int THREADS = 2;
    private static final int MB = 1 << 20;

    @TempDir
    private Path folder;

    static Stream<Plan> plans() {
        Plan sgd = TinyTraining.plan(2, "sgd");
        Plan adamw = TinyTraining.plan(2, "adamw");
        Plan again = adamw.withTraining(t -> t.recompute = Recompute.STAGES);
        // Small blocks, which the limit makes the pool give back, are a small part of patches of this size.
        return Stream.of(sgd, adamw, TinyTraining.withDropout(adamw), again)
                .map(plan -> plan.with(p -> p.patchSize = List.of(16, 32, 24)));
    }

    /** The limit is the number itself: one block more would fail. */
    @ParameterizedTest
    @MethodSource("plans")
    void aTrainingTakesWhatWasMeasured(Plan plan) throws InterruptedException {
        long needed = needed(plan);
        List<Long> reserved = new ArrayList<>();
        try (Device device = Device.open("cpu", THREADS, needed)) {
            TrainingListener listener = new TrainingListener() {
                @Override
                public void epoch(EpochRecord record) {
                    reserved.add(device.describe().poolReservedBytes());
                }
            };
            TinyTraining.trainer(plan, TinyTraining.LOSS, device, folder, listener)
                    .start();
        }
        assertThat(reserved).hasSize(2).allSatisfy(bytes -> assertThat(bytes).isLessThanOrEqualTo(needed));
        assertThat((double) Collections.max(reserved)).isGreaterThan(0.95 * needed);
    }

    @Test
    void aLossThatTakesMoreMemoryLaterIsMeasured() throws InterruptedException {
        Plan plan = plans().findFirst().orElseThrow();
        Loss later = (tape, logits, labels) -> {
            tape.scope().tensor(logits.shape());
            return TinyTraining.LOSS.apply(tape, logits, labels);
        };
        Loss growing = new Loss() {
            @Override
            public Tensor apply(Tape tape, Tensor logits, Labels labels) {
                throw new AssertionError("taken at no point of the training");
            }

            @Override
            public Loss at(Progress progress) {
                return progress.epoch() == 0 ? TinyTraining.LOSS : later;
            }
        };
        long needed = needed(plan, growing);
        assertThat(needed).isGreaterThan(needed(plan));
        try (Device device = Device.open("cpu", THREADS, needed)) {
            TinyTraining.trainer(plan, growing, device, folder).start();
        }
    }

    @Test
    void recomputingIsChosenWhenItFits() {
        Plan plan = large();
        long kept = needed(plan);
        long again = needed(plan.withTraining(t -> t.recompute = Recompute.STAGES));
        assertThat(again).isLessThan(kept);
        List<String> notes = new ArrayList<>();
        try (Device device = Device.open("cpu", THREADS, kept)) {
            assertThat(TrainingMemory.fit(plan, TinyTraining.LOSS, device, notes::add))
                    .isEqualTo(plan);
            assertThat(notes).isEmpty();
        }
        try (Device device = Device.open("cpu", THREADS, kept - 1)) {
            Plan fitted = TrainingMemory.fit(plan, TinyTraining.LOSS, device, notes::add);
            assertThat(fitted.training().recompute()).isEqualTo(Recompute.STAGES);
            assertThat(fitted.with(p -> p.training = plan.training())).isEqualTo(plan);
            assertThat(notes).hasSize(1).first().asString().contains("recompute", megabytes(again), megabytes(kept));
            assertThatExceptionOfType(ConfigException.class)
                    .isThrownBy(() -> TrainingMemory.require(plan, TinyTraining.LOSS, device))
                    .withMessageContaining(megabytes(kept));
        }
        try (Device device = Device.open("cpu", THREADS, again - 1)) {
            assertThatExceptionOfType(ConfigException.class)
                    .isThrownBy(() -> TrainingMemory.fit(plan, TinyTraining.LOSS, device, notes::add))
                    .withMessageContainingAll(megabytes(again), megabytes(kept), "batchSize 1 (needs ", "patchSize");
        }
    }

    /** Gigabytes are measured without being touched. */
    @Test
    void measuringTakesNoMemory() throws Exception {
        long before = residentBytes();
        assertThat(needed(large())).isGreaterThan(800L * MB);
        assertThat(residentBytes() - before).isLessThan(200L * MB);
    }

    /** Without a limit nothing is measured and nothing changes. */
    @Test
    void noLimitIsNoLimit() {
        try (Device device = Device.cpu(1)) {
            assertThat(TrainingMemory.fit(large(), TinyTraining.LOSS, device, note -> {}))
                    .isEqualTo(large());
            TrainingMemory.require(large(), TinyTraining.LOSS, device);
        }
    }

    private static long needed(Plan plan) {
        return needed(plan, TinyTraining.LOSS);
    }

    private static long needed(Plan plan, Loss loss) {
        try (Device device = Device.cpu(THREADS)) {
            return TrainingMemory.needed(plan, loss, device);
        }
    }

    private static String megabytes(long bytes) {
        return (bytes + MB - 1) / MB + " MB";
    }

    private static Plan large() {
        return TinyTraining.plan(2, "sgd").with(p -> p.patchSize = List.of(128, 160, 160));
    }

    private static long residentBytes() throws Exception {
        try (Stream<String> lines = Files.lines(Path.of("/proc/self/status"))) {
            return lines.filter(line -> line.startsWith("VmRSS:"))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) << 10)
                    .findFirst()
                    .orElseThrow();
        }
    }
}
