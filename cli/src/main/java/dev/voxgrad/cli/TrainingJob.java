package dev.voxgrad.cli;

import dev.voxgrad.engine.AtomicFile;
import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.op.Loss;
import dev.voxgrad.engine.plan.Case;
import dev.voxgrad.engine.plan.Plan;
import dev.voxgrad.engine.plan.PreparedCase;
import dev.voxgrad.engine.plan.Preprocessor;
import dev.voxgrad.engine.plan.RawDataset;
import dev.voxgrad.engine.tensor.Device;
import dev.voxgrad.engine.train.EpochRecord;
import dev.voxgrad.engine.train.ModelFolder;
import dev.voxgrad.engine.train.Trainer;
import dev.voxgrad.engine.train.TrainingListener;
import dev.voxgrad.engine.train.TrainingMemory;
import dev.voxgrad.losses.LabelCounts;
import dev.voxgrad.losses.LossContext;
import dev.voxgrad.losses.Losses;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Prepares the cases of a run and trains, with progress; the common part of train, resume and quickstart. */
final class TrainingJob {
    private final PrintWriter out;
    private final ModelFolder folder;

    TrainingJob(PrintWriter out, Path model) {
        this.out = out;
        this.folder = new ModelFolder(model);
    }

    /** Starts a new training. */
    void start(Plan wanted, RunFile run, Device device) throws InterruptedException, IOException {
        if (Files.exists(folder.end()) || Files.exists(folder.latest())) {
            throw new ConfigException(folder.path() + " holds a training already; resume it (voxgrad resume "
                    + folder.path() + ") or choose another folder");
        }
        // All that may be wrong comes before anything is written, the quickest first.
        Loss loss = PlanFile.loss(wanted, PlanFile.lossContext(wanted));
        Plan plan = TrainingMemory.fit(wanted, loss, device, line -> out.println("note: " + line));
        Losses.warnings(loss, plan.training().epochs()).forEach(warning -> out.println("WARNING: " + warning));
        Trainer trainer = trainer(plan, run, device);
        run.write(folder.path());
        AtomicFile.write(
                folder.dataset(), Files.readAllBytes(Path.of(run.dataset()).resolve("dataset.json")));
        trainer.start();
    }

    /** Continues the training of a run; a finished one stays as it is. */
    void resume(RunFile run, Device device) throws InterruptedException {
        Plan plan = folder.readPlan();
        TrainingMemory.require(plan, PlanFile.loss(plan, PlanFile.lossContext(plan)), device);
        trainer(plan, run, device).resume();
    }

    private Trainer trainer(Plan plan, RunFile run, Device device) {
        Map<String, PreparedCase> prepared = prepare(plan, run, device);
        List<PreparedCase> training = run.training().stream().map(prepared::get).toList();
        LossContext context = PlanFile.lossContext(plan);
        // Class weights by rule follow from all training labels, so they are the same after a resume.
        Iterable<byte[]> labels = labelImages(plan, training);
        Loss loss = PlanFile.loss(plan, context.withCounts(LabelCounts.of(labels, context.classes())));
        return new Trainer(
                plan,
                loss,
                training,
                run.validation().stream().map(prepared::get).toList(),
                device,
                folder,
                new Listener(plan));
    }

    /** The label maps of what the network is fed with: volumes, or for a patch of one slice the slices. */
    static Iterable<byte[]> labelImages(Plan plan, List<PreparedCase> cases) {
        if (plan.patch().d() > 1) {
            return cases.stream().map(PreparedCase::labels).toList();
        }
        return () -> cases.stream().flatMap(TrainingJob::slices).iterator();
    }

    private static Stream<byte[]> slices(PreparedCase volume) {
        int voxels = volume.size().h() * volume.size().w();
        return IntStream.range(0, volume.size().d())
                .mapToObj(z -> Arrays.copyOfRange(volume.labels(), z * voxels, (z + 1) * voxels));
    }

    /** Reads every case once, also one that is used for training and validation. */
    private Map<String, PreparedCase> prepare(Plan plan, RunFile run, Device device) {
        Map<String, Case> known = new LinkedHashMap<>();
        RawDataset.open(Path.of(run.dataset())).cases().forEach(c -> known.put(c.id(), c));
        List<String> wanted = new ArrayList<>(run.training());
        run.validation().stream().filter(id -> !wanted.contains(id)).forEach(wanted::add);
        List<String> missing =
                wanted.stream().filter(id -> !known.containsKey(id)).toList();
        if (!missing.isEmpty()) {
            throw new ConfigException(
                    "the data set " + run.dataset() + " has no cases " + missing + "; the split names them");
        }
        Map<String, PreparedCase> prepared = new LinkedHashMap<>();
        try (Progress bar = Progress.start("preparing", wanted.size(), "cases")) {
            new Preprocessor(plan, device)
                    .prepare(wanted.stream().map(known::get).toList(), c -> bar.step())
                    .forEach(c -> prepared.put(c.id(), c));
        }
        return prepared;
    }

    /** One bar over all steps and one line per tenth of the epochs, so that a log file stays short. */
    private final class Listener implements TrainingListener {
        private final int epochs;
        private final int perEpoch;
        private Optional<Progress> progress = Optional.empty();

        Listener(Plan plan) {
            this.epochs = plan.training().epochs();
            this.perEpoch = plan.training().iterationsPerEpoch();
        }

        @Override
        public void started(int firstEpoch, int count, int iterationsPerEpoch) {
            out.println((firstEpoch == 0 ? "training " : "resuming at epoch " + firstEpoch + ", ") + epochs
                    + " epochs of " + perEpoch + " steps into " + folder.path());
            out.flush();
            Progress bar = Progress.start("training", (long) epochs * perEpoch, "steps");
            bar.to((long) firstEpoch * perEpoch);
            progress = Optional.of(bar);
        }

        @Override
        public void step(int epoch, int iteration, double loss) {
            progress.ifPresent(Progress::step);
        }

        @Override
        public void finished() {
            progress.ifPresent(Progress::close);
        }

        @Override
        public void epoch(EpochRecord r) {
            String loss = r.trainLoss() == null ? "none" : "%.4f".formatted(r.trainLoss());
            progress.ifPresent(bar -> bar.note(
                    "loss %s%s".formatted(loss, r.emaDice() == null ? "" : ", Dice %.3f".formatted(r.emaDice()))));
            boolean last = r.epoch() == epochs - 1;
            if (last || (r.epoch() + 1) % Math.max(1, epochs / 10) == 0) {
                out.printf(
                        "epoch %d/%d  loss %s%s  lr %.2g  %.1f s%s%n",
                        r.epoch() + 1,
                        epochs,
                        loss,
                        r.emaDice() == null ? "" : "  pseudo Dice %.3f".formatted(r.emaDice()),
                        r.learningRate(),
                        r.seconds(),
                        r.skippedSteps() == 0 ? "" : "  SKIPPED STEPS (not finite): " + r.skippedSteps());
                out.flush();
            }
        }
    }
}
