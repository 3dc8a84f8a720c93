package dev.voxgrad.engine.train;

import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.DataException;
import dev.voxgrad.engine.augment.Augmentation;
import dev.voxgrad.engine.augment.CounterRandom;
import dev.voxgrad.engine.augment.PatchSampler;
import dev.voxgrad.engine.autograd.Gradients;
import dev.voxgrad.engine.autograd.Tape;
import dev.voxgrad.engine.metric.PseudoDice;
import dev.voxgrad.engine.nn.DeepSupervision;
import dev.voxgrad.engine.nn.Module;
import dev.voxgrad.engine.nn.Networks;
import dev.voxgrad.engine.op.Loss;
import dev.voxgrad.engine.op.Progress;
import dev.voxgrad.engine.optim.GradientNorm;
import dev.voxgrad.engine.plan.LabelNames;
import dev.voxgrad.engine.plan.Plan;
import dev.voxgrad.engine.plan.PreparedCase;
import dev.voxgrad.engine.plan.Recompute;
import dev.voxgrad.engine.plan.Training;
import dev.voxgrad.engine.tensor.Device;
import dev.voxgrad.engine.tensor.Labels;
import dev.voxgrad.engine.tensor.Profiler;
import dev.voxgrad.engine.tensor.Scope;
import dev.voxgrad.engine.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * Trains the network of a plan. Everything random is a function of the plan's seed and the position in the run, so the same plan,
 * cases and device give the same bytes, and a run that was killed and resumed ends in the same bytes as one that was not.
 */
public final class Trainer {
    /** Non-finite steps in a row after which a run stops. */
    private static final int MAX_BAD_STEPS = 3;

    /** Kinds of steps, see {@link Device#step}. */
    static final int TRAINING_STEP = 0;

    static final int VALIDATION_STEP = 1;

    private static final int MAX_WORKERS = 12;
    private static final int BATCHES_AHEAD = 6;

    private final Plan plan;
    private final Training training;
    private final Loss loss;
    private final List<PreparedCase> trainCases;
    private final List<PreparedCase> validationCases;
    private final Device device;
    private final ModelFolder folder;
    private final TrainingListener listener;

    /**
     * A training run.
     *
     * @param loss what {@code plan.training().loss()} says
     * @param validationCases may be empty: then there is no validation and no best checkpoint
     * @param folder of the model, made if it does not exist
     */
    public Trainer(
            Plan plan,
            Loss loss,
            List<PreparedCase> trainCases,
            List<PreparedCase> validationCases,
            Device device,
            ModelFolder folder,
            TrainingListener listener) {
        if (trainCases.isEmpty()) {
            throw new ConfigException("no training cases; check the data set and the split");
        }
        this.plan = plan;
        this.training = plan.training();
        this.loss = loss;
        this.trainCases = List.copyOf(trainCases);
        this.validationCases = List.copyOf(validationCases);
        this.device = device;
        this.folder = folder;
        this.listener = listener;
    }

    /**
     * Starts a new run.
     *
     * @throws ConfigException when the folder holds a run already
     */
    public void start() throws InterruptedException {
        if (folder.resumable().isPresent()) {
            throw new ConfigException(folder.path() + " holds a training already; resume it or choose another folder");
        }
        folder.create();
        plan.write(folder.plan());
        run();
    }

    /** Continues a run where its last checkpoint left it, from the start if there is none; a finished run stays as it is. */
    public void resume() throws InterruptedException {
        folder.create();
        run();
    }

    /** The tape of a training step. */
    static Tape tape(Scope scope, Module network, Training training, long dropoutSeed) {
        Tape tape = Tape.training(scope, network.parameters().tensors(), dropoutSeed);
        return training.recompute() == Recompute.STAGES ? tape.recomputing() : tape;
    }

    private void run() throws InterruptedException {
        try (Scope model = device.scope()) {
            Module network = Networks.create(plan.network(), model);
            Optional<Path> checkpoint = folder.resumable();
            if (checkpoint.isEmpty()) {
                network.parameters().initialize(plan.network().initializer(), training.seed());
            }
            Learned learned = Learned.of(training, network.parameters());
            TrainingState state =
                    checkpoint.map(file -> Checkpoint.read(file, learned)).orElse(TrainingState.START);
            TrainingLog.truncate(folder.log(), state.finishedEpochs());
            if (!checkpoint.equals(Optional.of(folder.end()))) {
                try {
                    new Run(network, learned).epochs(state);
                } finally {
                    listener.finished();
                }
            }
        }
    }

    /** The loop over epochs with everything that lives as long as the model. */
    private final class Run {
        private final Module network;
        private final Learned learned;
        private final DeepSupervision deepSupervision;
        private final LearningRate rate = LearningRate.of(training);
        private final int perEpoch = training.iterationsPerEpoch();
        private int badSteps;

        Run(Module network, Learned learned) {
            this.network = network;
            this.learned = learned;
            this.deepSupervision = DeepSupervision.of(
                    network.spec().deepSupervision() ? network.spec().stages() - 1 : 1);
        }

        void epochs(TrainingState start) throws InterruptedException {
            listener.started(start.finishedEpochs(), training.epochs(), perEpoch);
            PatchSampler sampler = sampler(trainCases);
            Optional<Augmentation> augmentation = Optional.of(Augmentation.of(training));
            int workers = Math.clamp(Runtime.getRuntime().availableProcessors() - 1, 1, MAX_WORKERS);
            long from = (long) start.finishedEpochs() * perEpoch;
            TrainingState state = start;
            try (Prefetcher<Batch> batches = new Prefetcher<>(
                    workers,
                    BATCHES_AHEAD,
                    from,
                    (long) training.epochs() * perEpoch,
                    i -> Batch.make(
                            sampler,
                            plan.batchSize(),
                            augmentation,
                            CounterRandom.of(training.seed(), "training", i / perEpoch, i % perEpoch)))) {
                while (state.finishedEpochs() < training.epochs() && !stopsEarly(state)) {
                    state = epoch(state, batches);
                }
            }
            write(folder.end(), state);
            deleteLatest();
        }

        /** A function of the state, so that a run resumed from its last epoch stops as well. */
        private boolean stopsEarly(TrainingState state) {
            return training.earlyStopPatience() > 0
                    && state.emaDice() != null
                    && state.epochsSinceBest() >= training.earlyStopPatience();
        }

        private TrainingState epoch(TrainingState state, Prefetcher<Batch> batches) throws InterruptedException {
            int epoch = state.finishedEpochs();
            long started = System.nanoTime();
            double lr = 0;
            double lossSum = 0;
            double normSum = 0;
            int skipped = 0;
            Progress progress = new Progress(epoch, training.epochs(), 0, perEpoch);
            for (int i = 0; i < perEpoch; i++) {
                long dropoutSeed =
                        CounterRandom.of(training.seed(), "dropout", epoch, i).bits();
                lr = rate.at(epoch, i);
                Step step = step(next(batches), lr, dropoutSeed, loss.at(progress.withStep(i)));
                if (step.taken()) {
                    lossSum += step.loss();
                    normSum += step.norm();
                } else {
                    skipped++;
                }
                listener.step(epoch, i, step.loss());
            }
            int taken = perEpoch - skipped;
            Loss last = loss.at(progress.withStep(perEpoch - 1));
            Validation validation = learned.withPredictionWeights(() -> validate(epoch, last));
            TrainingState next = state.after(validation.meanDice());
            EpochRecord record = new EpochRecord(
                    epoch,
                    finite(lossSum / taken), // 0/0 where no step was taken
                    validation.loss(),
                    validation.meanDice(),
                    next.emaDice(),
                    validation.dicePerClass(),
                    lr,
                    finite(normSum / taken),
                    skipped,
                    (System.nanoTime() - started) / 1e9);
            if (next.isBest()) {
                write(folder.best(), next);
            }
            // Before the checkpoint: a run killed in between repeats the epoch, and resuming drops its record.
            TrainingLog.append(folder.log(), record);
            if (next.finishedEpochs() % training.checkpointEvery() == 0 && next.finishedEpochs() < training.epochs()) {
                write(folder.latest(), next);
            }
            listener.epoch(record);
            return next;
        }

        private Batch next(Prefetcher<Batch> batches) throws InterruptedException {
            device.profiler().phase(Profiler.Phase.DATA, "batch");
            try (Profiler.Span span = device.profiler().span("wait for batch")) {
                return batches.take();
            }
        }

        private record Step(double loss, double norm, boolean taken) {}

        private Step step(Batch batch, double lr, long dropoutSeed, Loss now) {
            try (Scope scope = device.step(TRAINING_STEP)) {
                Tape tape = tape(scope, network, training, dropoutSeed);
                Profiler.Span upload = device.profiler().span("upload");
                Tensor x = scope.tensor(batch.shape(), batch.image());
                Labels y = scope.labels(batch.shape().withChannels(1), batch.labels());
                upload.close();
                Tensor value = apply(now, tape, batch, network.forward(tape, x), y);
                double lossValue = value.item();
                Gradients gradients = tape.backward(value);
                device.profiler().phase(Profiler.Phase.UPDATE, "optimizer");
                GradientNorm norm = GradientNorm.of(network.parameters(), gradients);
                if (!Double.isFinite(lossValue) || !norm.finite()) {
                    if (++badSteps >= MAX_BAD_STEPS) {
                        throw new DataException(
                                "loss or gradient was not finite in " + MAX_BAD_STEPS + " steps in a row (loss "
                                        + lossValue + ", gradient norm " + norm.value() + "), last with the cases "
                                        + batch.cases()
                                        + "; look at these images, or lower the learning rate");
                    }
                    return new Step(lossValue, norm.value(), false);
                }
                badSteps = 0;
                double clip = training.gradientClip();
                learned.step(gradients, lr, clip > 0 ? norm.clipFactor(clip) : 1);
                return new Step(lossValue, norm.value(), true);
            }
        }

        private Tensor apply(Loss now, Tape tape, Batch batch, List<Tensor> logits, Labels labels) {
            tape.layer("loss");
            try {
                return deepSupervision.apply(tape, now, logits, labels);
            } catch (DataException e) {
                List<String> wrong = batch.casesWithLabelsFrom(plan.labels().size());
                throw new DataException(
                        "cases " + (wrong.isEmpty() ? batch.cases() : wrong) + ": " + e.getMessage(), e);
            }
        }

        private record Validation(Double loss, Double meanDice, List<Double> dicePerClass) {}

        private Validation validate(int epoch, Loss now) throws InterruptedException {
            if (validationCases.isEmpty() || training.validationIterations() == 0) {
                return new Validation(null, null, List.of());
            }
            PatchSampler sampler = sampler(validationCases);
            LabelNames names = plan.labelNames();
            int ignore = names.ignore().orElse(-1);
            PseudoDice dice = names.hasRegions()
                    ? new PseudoDice(names.regions(), ignore)
                    : new PseudoDice(names.classes(), ignore);
            double sum = 0;
            for (int i = 0; i < training.validationIterations(); i++) {
                Batch batch = Batch.make(
                        sampler,
                        plan.batchSize(),
                        Optional.empty(),
                        CounterRandom.of(training.seed(), "validation", epoch, i));
                try (Scope scope = device.step(VALIDATION_STEP)) {
                    Tape tape = Tape.inference(scope);
                    Labels y = scope.labels(batch.shape().withChannels(1), batch.labels());
                    List<Tensor> logits = network.forward(tape, scope.tensor(batch.shape(), batch.image()));
                    sum += apply(now, tape, batch, logits, y).item();
                    if (names.hasRegions()) {
                        dice.add(logits.getFirst().toArray(), batch.labels());
                    } else {
                        dice.add(plan.outputs().labels(tape, logits.getFirst()).toArray(), batch.labels());
                    }
                }
            }
            Double mean = finite(dice.mean());
            List<Double> perClass =
                    Arrays.stream(dice.perClass()).mapToObj(Run::finite).toList();
            return new Validation(sum / training.validationIterations(), mean, perClass);
        }

        private static Double finite(double value) {
            return Double.isFinite(value) ? value : null;
        }

        private PatchSampler sampler(List<PreparedCase> cases) {
            return new PatchSampler(cases, plan.patch(), plan.batchSize(), training.foregroundOversampling());
        }

        private void write(Path file, TrainingState state) {
            Checkpoint.write(file, plan.toJson(), learned, state);
        }

        private void deleteLatest() {
            try {
                Files.deleteIfExists(folder.latest());
            } catch (IOException e) {
                throw new DataException("cannot delete " + folder.latest() + ": " + e.getMessage(), e);
            }
        }
    }
}
