package dev.voxgrad.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.voxgrad.engine.nn.NetworkSpec;
import dev.voxgrad.engine.nn.Networks;
import dev.voxgrad.engine.plan.Plan;
import dev.voxgrad.engine.plan.PreparedCase;
import dev.voxgrad.engine.plan.Preprocessor;
import dev.voxgrad.engine.plan.RawDataset;
import dev.voxgrad.engine.tensor.Device;
import dev.voxgrad.engine.train.EpochRecord;
import dev.voxgrad.engine.train.ModelFolder;
import dev.voxgrad.engine.train.Trainer;
import dev.voxgrad.engine.train.TrainingListener;
import dev.voxgrad.engine.train.TrainingLog;
import dev.voxgrad.losses.LabelCounts;
import dev.voxgrad.losses.Losses;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Losses with schedules and class weights by rule, in trainings with deep supervision. */
class ScheduledTrainingTest {
    private static final int EPOCHS = 5;

    @TempDir
    Path folder;

    private TinyDataset data;

    @BeforeEach
    void dataset() {
        data = TinyDataset.valid(folder.resolve("data"));
    }

    /** Three resolutions, so that two of them have a loss. */
    private Plan plan(String loss) {
        Plan tiny = data.plan(List.of(8, 8, 8));
        NetworkSpec network =
                Networks.plainUNet(1, 2, List.of(4, 4, 4), Networks.cubes(3, 3, 3), Networks.halvings(3, 3), true);
        return tiny.with(p -> {
                    p.network = network;
                    p.training = p.training.with(t -> {
                        t.loss = loss;
                        t.epochs = EPOCHS;
                        t.seed = 3;
                    });
                })
                .withOutputs(PlanFile.outputs(loss, tiny.labelNames()));
    }

    private ModelFolder train(String name, Plan plan, int threads, TrainingListener listener) throws Exception {
        ModelFolder model = new ModelFolder(folder.resolve(name));
        try (Device device = Device.cpu(threads)) {
            List<PreparedCase> cases = new Preprocessor(plan, device)
                    .prepare(RawDataset.open(data.folder()).cases(), c -> {});
            LabelCounts counts =
                    LabelCounts.of(cases.stream().map(PreparedCase::labels).toList(), 2);
            new Trainer(
                            plan,
                            Losses.parse(
                                    plan.training().loss(),
                                    PlanFile.lossContext(plan).withCounts(counts)),
                            cases,
                            cases,
                            device,
                            model,
                            listener)
                    .resume();
        }
        return model;
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "schedule(wce -> wce + wdice -> wdice, cosine, at=0.2..0.8, by=step)",
                "schedule(bce -> blob(dice + bce), epochs=2)"
            })
    void resumeEqualsNoInterruption(String loss) throws Exception {
        Plan plan = plan(loss);
        ModelFolder whole = train("whole", plan, 2, TrainingListener.silent());
        TrainingListener stop = new TrainingListener() {
            @Override
            public void step(int epoch, int iteration, double loss) {
                if (epoch == 2 && iteration == 1) {
                    throw new IllegalStateException("stopped in the middle of an epoch");
                }
            }
        };
        assertThatThrownBy(() -> train("stopped", plan, 2, stop)).hasMessageContaining("stopped in the middle");
        ModelFolder resumed = train("stopped", plan, 1, TrainingListener.silent());
        assertThat(Files.mismatch(resumed.end(), whole.end())).isEqualTo(-1);
        assertThat(Files.mismatch(resumed.best(), whole.best())).isEqualTo(-1);
    }

    @Test
    void trainingAndValidationUseTheLossOfTheEpoch() throws Exception {
        ModelFolder model = train("m", plan("schedule(ce -> 100*ce, epochs=3)"), 2, TrainingListener.silent());
        List<EpochRecord> log = TrainingLog.read(model.log());
        for (EpochRecord record : log) {
            double factor = record.epoch() < 3 ? 1 : 100;
            assertThat(record.trainLoss()).isBetween(0.2 * factor, 1.5 * factor);
            assertThat(record.validationLoss()).isBetween(0.2 * factor, 1.5 * factor);
        }
    }

    @Test
    void commandTrainsWithWeightsByTheTrainingLabels() {
        CommandFolder work = new CommandFolder(folder, data, folder.resolve("model"));
        assertThat(work.train("--loss", "ce(weights=inverse_frequency) + wdice").exitCode())
                .isZero();
    }
}
