package dev.voxgrad.cli;

import dev.voxgrad.engine.op.Loss;
import dev.voxgrad.engine.plan.Plan;
import dev.voxgrad.engine.plan.PreparedCase;
import dev.voxgrad.engine.profile.Ceilings;
import dev.voxgrad.engine.profile.Profile;
import dev.voxgrad.engine.profile.Recording;
import dev.voxgrad.engine.tensor.Device;
import dev.voxgrad.engine.train.ModelFolder;
import dev.voxgrad.engine.train.Trainer;
import dev.voxgrad.engine.train.TrainingListener;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The first steps of a training as they always are, measured.
 *
 * @param warmUp steps before the measurement
 * @param steps measured steps
 */
record ProfiledTraining(Plan plan, List<PreparedCase> cases, int warmUp, int steps) {
    /** Ends the training from inside: nothing else of it is wanted. */
    private static final class Enough extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }

    /** Trains in a folder that the caller deletes. */
    Profile run(Device device, Path folder) throws InterruptedException {
        Ceilings ceilings = Ceilings.measure(device);
        // The first epoch holds all steps, so that no validation comes between them.
        Plan longEnough = plan.withTraining(t -> t.iterationsPerEpoch = Math.max(t.iterationsPerEpoch, warmUp + steps));
        Loss loss = PlanFile.loss(longEnough, PlanFile.lossContext(longEnough));
        try (Recording recording = Recording.start(device);
                Progress bar = Progress.start("profiling", warmUp + (long) steps, "steps")) {
            Listener listener = new Listener(recording, bar);
            try {
                new Trainer(longEnough, loss, cases, List.of(), device, new ModelFolder(folder), listener).start();
                throw new IllegalStateException("the training ended before step " + (warmUp + steps));
            } catch (Enough e) {
                return Profile.of(recording, ceilings.best(Ceilings.measure(device)));
            }
        }
    }

    /**
     * What was measured, for people.
     *
     * @param data where the cases come from
     */
    Map<String, String> facts(String data) {
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put("Network", plan.network().network() + " " + plan.network().features());
        facts.put("Batch", plan.batchSize() + " patches of " + plan.patchSize());
        facts.put("Loss", plan.training().loss());
        facts.put("Optimizer", plan.training().optimizer());
        facts.put("Data", data);
        facts.put("Steps", steps + " after " + warmUp + " to warm up");
        return facts;
    }

    /** Begins to count after the warm-up and ends the training after the last step. */
    private final class Listener implements TrainingListener {
        private final Recording recording;
        private final Progress bar;

        Listener(Recording recording, Progress bar) {
            this.recording = recording;
            this.bar = bar;
        }

        @Override
        public void started(int firstEpoch, int epochs, int iterationsPerEpoch) {
            recording.restart();
        }

        @Override
        public void step(int epoch, int iteration, double loss) {
            recording.endStep();
            bar.step();
            if (iteration + 1 == warmUp) {
                recording.restart();
            } else if (iteration + 1 == warmUp + steps) {
                recording.stop();
                throw new Enough();
            }
        }
    }
}
