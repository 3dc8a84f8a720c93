package dev.voxgrad.engine.train;

import static org.assertj.core.api.Assertions.assertThat;

import dev.voxgrad.engine.op.Loss;
import dev.voxgrad.engine.op.SegLoss;
import dev.voxgrad.engine.plan.Plan;
import dev.voxgrad.engine.tensor.Device;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the log says about an epoch in which no step was taken. */
class SkippedStepsTest {
    private static final Loss NOT_FINITE = (tape, logits, labels) ->
            SegLoss.apply(tape, logits, labels, SegLoss.Options.SOFTMAX, (sums, partials) -> Double.NaN);

    @TempDir
    private Path folder;

    @Test
    void anEpochWithoutAStepHasNeitherLossNorNorm() throws Exception {
        try (Device device = Device.cpu(1)) {
            TinyTraining.trainer(twoSteps(), NOT_FINITE, device, folder).start();
        }
        List<EpochRecord> log = TrainingLog.read(new ModelFolder(folder).log());
        assertThat(log).hasSize(1);
        assertThat(log.getFirst().skippedSteps()).isEqualTo(2);
        assertThat(log.getFirst().trainLoss()).isNull();
        assertThat(log.getFirst().gradientNorm()).isNull();
    }

    /** One epoch: a third step that is not finite would end the training. */
    private static Plan twoSteps() {
        Plan plan = TinyTraining.plan(2, "sgd");
        return plan.withTraining(t -> {
            t.warmUpEpochs = 0;
            t.epochs = 1;
            t.iterationsPerEpoch = 2;
            t.validationIterations = 0;
        });
    }
}
