package dev.voxgrad.engine.train;

import static org.assertj.core.api.Assertions.assertThat;

import dev.voxgrad.engine.Safetensors;
import dev.voxgrad.engine.optim.Ranger21;
import dev.voxgrad.engine.plan.Optimization;
import dev.voxgrad.engine.plan.Plan;
import dev.voxgrad.engine.tensor.Device;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Every optimizer with all that it remembers, and the moving average of the weights, survive an interruption to the bit. */
class ResumeTest {
    /** Trainings beside the plain sgd and adamw of {@link TrainerTest}. Also programs, so that a test can kill them. */
    enum Variant {
        ADAM("adam", "constant", false, 0),
        AMSGRAD("adamw", "cosine", true, 0),
        RANGER21("ranger21", "warm-up-down", false, 0),
        SGD_AVERAGE("sgd", "poly", false, 0.99),
        RANGER21_AVERAGE("ranger21", "warm-up-down", false, 0.9);

        private final String optimizer;
        private final String schedule;
        private final boolean amsgrad;
        private final double weightEma;

        Variant(String optimizer, String schedule, boolean amsgrad, double weightEma) {
            this.optimizer = optimizer;
            this.schedule = schedule;
            this.amsgrad = amsgrad;
            this.weightEma = weightEma;
        }

        Plan plan(int epochs) {
            return plan(epochs, weightEma);
        }

        Plan plan(int epochs, double average) {
            Optimization options = new Optimization(
                    true,
                    0,
                    0.9,
                    0.999,
                    1e-8,
                    amsgrad,
                    Ranger21.Components.DEFAULT,
                    false,
                    0,
                    0.9,
                    0,
                    List.of(),
                    0.1,
                    true,
                    0.72,
                    3e-5,
                    average);
            Plan plan = TinyTraining.plan(epochs, "adamw");
            // Ranger21's steps are small: its denominator is at least log(2)/50, and the look-ahead halves them.
            double lr = optimizer.equals("ranger21") ? 2e-2 : 3e-3;
            return plan.withTraining(t -> {
                t.optimizer = optimizer;
                t.learningRate = lr;
                t.schedule = schedule;
                t.optimization = options;
            });
        }

        /** Starts or resumes the training of FOLDER with EPOCHS epochs as VARIANT. */
        public static void main(String[] args) throws InterruptedException {
            Plan plan = Variant.valueOf(args[2]).plan(Integer.parseInt(args[1]));
            try (Device device = Device.cpu(1)) {
                TinyTraining.trainer(plan, device, Path.of(args[0])).resume();
            }
        }
    }

    @TempDir
    Path folder;

    private ModelFolder train(String name, Plan plan, int threads) throws InterruptedException {
        Path model = folder.resolve(name);
        try (Device device = Device.cpu(threads)) {
            TinyTraining.trainer(plan, device, model).start();
        }
        return new ModelFolder(model);
    }

    @ParameterizedTest
    @EnumSource(Variant.class)
    void resumeEqualsNoInterruptionOnOtherThreads(Variant variant) throws Exception {
        Interruption.assertStopChangesNothing(variant.plan(6), folder);
    }

    @ParameterizedTest
    @EnumSource(Variant.class)
    void trainingLearns(Variant variant) throws Exception {
        List<EpochRecord> log = TrainingLog.read(train("m", variant.plan(40), 2).log());
        assertThat(log.getLast().trainLoss()).isLessThan(0.6 * log.getFirst().trainLoss());
        if (variant != Variant.SGD_AVERAGE) { // its average lags a hundred steps behind
            assertThat(log.getLast().emaDice()).isGreaterThan(0.3);
        }
    }

    /** SIGKILL at random moments; the end must be the same bytes. */
    @Test
    void killedAtRandomEndsInTheSameBytes() throws Exception {
        Interruption.assertKillsChangeNothing(
                folder, Variant.class, 150, 4, 60, killed -> {}, Variant.RANGER21_AVERAGE.name());
    }

    /** The average is an onlooker: weights, moments and losses of the training are those of a run without it. */
    @Test
    void averageDoesNotChangeTheTraining() throws Exception {
        ModelFolder with = train("with", Variant.RANGER21.plan(4, 0.9), 2);
        ModelFolder without = train("without", Variant.RANGER21.plan(4, 0), 2);
        try (Safetensors a = Safetensors.open(with.end());
                Safetensors b = Safetensors.open(without.end())) {
            String first = "encoder.stages.0.0.convs.0.conv.weight";
            assertThat(a.f32(first)).as("the average of %s", first).isNotEqualTo(b.f32(first));
            for (String name : b.names()) {
                if (name.startsWith("optimizer/")) {
                    assertThat(a.f32(name)).as(name).isEqualTo(b.f32(name));
                } else {
                    assertThat(sorted(a.f32("optimizer/weight." + name)))
                            .as(name)
                            .isEqualTo(sorted(b.f32(name)));
                }
            }
        }
        List<EpochRecord> losses = TrainingLog.read(with.log());
        List<EpochRecord> expected = TrainingLog.read(without.log());
        assertThat(losses)
                .extracting(EpochRecord::trainLoss)
                .isEqualTo(expected.stream().map(EpochRecord::trainLoss).toList());
        assertThat(losses.getFirst().validationLoss())
                .as("validation sees the average")
                .isNotEqualTo(expected.getFirst().validationLoss());
    }

    /** Weights and the state of the training have different layouts; as sets of numbers they must be the same. */
    private static float[] sorted(float[] values) {
        float[] copy = values.clone();
        Arrays.sort(copy);
        return copy;
    }

    /** With a decay of nearly 0 the average is the weights, so the files and the validation must be those of no average. */
    @Test
    void averageWithoutMemoryIsTheWeights() throws Exception {
        ModelFolder with = train("with", Variant.AMSGRAD.plan(3, 1e-12), 2);
        ModelFolder without = train("without", Variant.AMSGRAD.plan(3, 0), 2);
        try (Safetensors a = Safetensors.open(with.best());
                Safetensors b = Safetensors.open(without.best())) {
            for (String name : b.names()) {
                assertThat(a.f32(name)).as(name).isEqualTo(b.f32(name));
            }
        }
        assertThat(TrainingLog.read(with.log()))
                .extracting(EpochRecord::validationLoss)
                .isEqualTo(TrainingLog.read(without.log()).stream()
                        .map(EpochRecord::validationLoss)
                        .toList());
    }
}
