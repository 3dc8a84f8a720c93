package dev.voxgrad.engine.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.voxgrad.engine.autograd.Tape;
import dev.voxgrad.engine.op.Loss;
import dev.voxgrad.engine.op.Progress;
import dev.voxgrad.engine.op.Sum;
import dev.voxgrad.engine.plan.Plan;
import dev.voxgrad.engine.tensor.Device;
import dev.voxgrad.engine.tensor.Labels;
import dev.voxgrad.engine.tensor.Tensor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A loss that changes with time: the trainer asks for it at every step, and a resumed run gets the same ones. */
class LossOfProgressTest {
    private static final int EPOCHS = 4;
    private static final int STEPS = 3;

    @TempDir
    Path folder;

    /** Cross entropy times 1 + steps done; notes where it was asked for, and where applied. */
    private record Growing(List<Progress> asked) implements Loss {
        @Override
        public Tensor apply(Tape tape, Tensor logits, Labels labels) {
            throw new AssertionError("applied without a point in time");
        }

        @Override
        public Loss at(Progress progress) {
            asked.add(progress);
            float factor = 1 + progress.stepsDone();
            return (tape, logits, labels) ->
                    Sum.apply(tape, List.of(new Sum.Term(factor, TinyTraining.LOSS.apply(tape, logits, labels))));
        }
    }

    @Test
    void trainerAsksForEveryStepAndForTheValidationOfTheEpoch() throws Exception {
        Growing loss = new Growing(new ArrayList<>());
        Plan plan = TinyTraining.plan(EPOCHS, "adamw");
        try (Device device = Device.cpu(1)) {
            TinyTraining.trainer(plan, loss, device, folder.resolve("m")).start();
        }
        List<Progress> expected = new ArrayList<>();
        for (int epoch = 0; epoch < EPOCHS; epoch++) {
            for (int step = 0; step < STEPS; step++) {
                expected.add(new Progress(epoch, EPOCHS, step, STEPS));
            }
            expected.add(new Progress(epoch, EPOCHS, STEPS - 1, STEPS));
        }
        assertThat(loss.asked()).isEqualTo(expected);
        List<EpochRecord> log = TrainingLog.read(new ModelFolder(folder.resolve("m")).log());
        assertThat(log.getLast().validationLoss())
                .isGreaterThan(3 * log.getFirst().validationLoss() / STEPS);
    }

    @Test
    void resumedRunGetsTheSameLosses() throws Exception {
        Plan plan = TinyTraining.plan(EPOCHS, "sgd");
        Path whole = folder.resolve("whole");
        Path stopped = folder.resolve("stopped");
        try (Device device = Device.cpu(1)) {
            TinyTraining.trainer(plan, new Growing(new ArrayList<>()), device, whole)
                    .start();
            Loss failing = new Loss() {
                @Override
                public Tensor apply(Tape tape, Tensor logits, Labels labels) {
                    throw new AssertionError("applied without a point in time");
                }

                @Override
                public Loss at(Progress progress) {
                    if (progress.epoch() == 2 && progress.step() == 1) {
                        throw new IllegalStateException("stopped in the middle of an epoch");
                    }
                    return new Growing(new ArrayList<>()).at(progress);
                }
            };
            assertThatThrownBy(TinyTraining.trainer(plan, failing, device, stopped)::start)
                    .hasMessageContaining("stopped in the middle");
            Growing resumed = new Growing(new ArrayList<>());
            TinyTraining.trainer(plan, resumed, device, stopped).resume();
            assertThat(resumed.asked().getFirst()).isEqualTo(new Progress(2, EPOCHS, 0, STEPS));
        }
        assertThat(Files.mismatch(new ModelFolder(stopped).end(), new ModelFolder(whole).end()))
                .isEqualTo(-1);
    }
}
