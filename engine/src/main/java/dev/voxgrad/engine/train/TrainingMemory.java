package dev.voxgrad.engine.train;

import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.autograd.Gradients;
import dev.voxgrad.engine.autograd.Tape;
import dev.voxgrad.engine.nn.DeepSupervision;
import dev.voxgrad.engine.nn.Module;
import dev.voxgrad.engine.nn.Networks;
import dev.voxgrad.engine.op.Loss;
import dev.voxgrad.engine.op.Progress;
import dev.voxgrad.engine.optim.GradientNorm;
import dev.voxgrad.engine.plan.Plan;
import dev.voxgrad.engine.plan.Recompute;
import dev.voxgrad.engine.plan.Training;
import dev.voxgrad.engine.tensor.Device;
import dev.voxgrad.engine.tensor.Labels;
import dev.voxgrad.engine.tensor.Megabytes;
import dev.voxgrad.engine.tensor.Scope;
import dev.voxgrad.engine.tensor.Shape;
import dev.voxgrad.engine.tensor.Tensor;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/**
 * The device memory of a training: weights, optimizer, feature maps, gradients and scratch memory of the kernels. Measured, not
 * estimated, by a step and a validation on a device that computes nothing. A loss whose memory depends on the labels, such as blob
 * loss, is measured on an empty image. The Java heap, which holds the images, is not part of it.
 */
public final class TrainingMemory {
    /** A training is measured with the loss at its start and after so many equal parts. */
    private static final int LOSS_POINTS = 8;

    private TrainingMemory() {}

    /**
     * Bytes that a training needs.
     *
     * @param loss of the plan
     * @param device that will train; scratch memory depends on its threads and precision
     */
    public static long needed(Plan plan, Loss loss, Device device) {
        return needed(plan, plan.batchSize(), plan.training().recompute(), loss, device);
    }

    /**
     * Fits a training into the memory limit of a device: as it is, or with feature maps computed again.
     *
     * @param note told in one line what was changed
     * @return the plan, perhaps with another {@code training.recompute}; results are the same
     * @throws ConfigException with the number needed when it cannot fit
     */
    public static Plan fit(Plan plan, Loss loss, Device device, Consumer<String> note) {
        long limit = device.memoryLimitBytes();
        if (limit == 0) {
            return plan;
        }
        long kept = needed(plan, loss, device);
        if (kept <= limit) {
            return plan;
        }
        long stages = needed(plan, plan.batchSize(), Recompute.STAGES, loss, device);
        if (stages <= limit) {
            note.accept("recomputing feature maps (training.recompute: stages): that needs " + Megabytes.needed(stages)
                    + " of memory, keeping them " + Megabytes.needed(kept) + ", the limit is "
                    + Megabytes.limit(limit));
            return plan.withTraining(t -> t.recompute = Recompute.STAGES);
        }
        long single = needed(plan, 1, Recompute.STAGES, loss, device);
        String batch = plan.batchSize() == 1 ? "" : "batchSize 1 (needs " + Megabytes.needed(single) + "), ";
        throw new ConfigException("the training needs " + Megabytes.needed(stages)
                + " of memory, even with feature maps computed again ("
                + Megabytes.needed(kept) + " otherwise); the limit is " + Megabytes.limit(limit)
                + ". Use --memory-limit "
                + Megabytes.needed(stages).option() + ", or in the plan " + batch
                + "a smaller patchSize or fewer features");
    }

    /**
     * Checks that a device has the memory for a training as its plan says.
     *
     * @throws ConfigException with the number needed
     */
    public static void require(Plan plan, Loss loss, Device device) {
        long limit = device.memoryLimitBytes();
        long needed = limit == 0 ? 0 : needed(plan, loss, device);
        if (needed > limit) {
            throw new ConfigException("the training needs " + Megabytes.needed(needed)
                    + " of memory as its plan says; the limit is " + Megabytes.limit(limit) + ". Use --memory-limit "
                    + Megabytes.needed(needed).option());
        }
    }

    private static long needed(Plan plan, int batch, Recompute recompute, Loss loss, Device target) {
        Training training = plan.training().with(t -> t.recompute = recompute);
        Shape patch = new Shape(
                batch,
                plan.patch().d(),
                plan.patch().h(),
                plan.patch().w(),
                plan.network().inChannels());
        try (Device device = target.measuring();
                Scope model = device.scope()) {
            Module network = Networks.create(plan.network(), model);
            Learned learned = Learned.of(training, network.parameters());
            DeepSupervision outputs = DeepSupervision.of(
                    network.spec().deepSupervision() ? network.spec().stages() - 1 : 1);
            for (Loss now : through(training, loss)) {
                try (Scope scope = device.step(Trainer.TRAINING_STEP)) {
                    Tape tape = Trainer.tape(scope, network, training, 0);
                    Tensor x = scope.tensor(patch);
                    Labels y = scope.labels(patch.withChannels(1));
                    Tensor value = outputs.apply(tape, now, network.forward(tape, x), y);
                    Gradients gradients = tape.backward(value);
                    GradientNorm.of(network.parameters(), gradients);
                    learned.step(gradients, 0, 1);
                }
                try (Scope scope = device.step(Trainer.VALIDATION_STEP)) {
                    Tape tape = Tape.inference(scope);
                    Labels y = scope.labels(patch.withChannels(1));
                    List<Tensor> logits = network.forward(tape, scope.tensor(patch));
                    outputs.apply(tape, now, logits, y).item();
                    plan.outputs().labels(tape, logits.getFirst());
                }
            }
            return device.describe().poolReservedBytes();
        }
    }

    /** What the loss is at points of the training: a scheduled one may take more memory later. */
    private static List<Loss> through(Training training, Loss loss) {
        int last = training.epochs() - 1;
        return IntStream.rangeClosed(0, LOSS_POINTS)
                .map(i -> Math.toIntExact((long) last * i / LOSS_POINTS))
                .distinct()
                .mapToObj(epoch -> loss.at(new Progress(epoch, training.epochs(), 0, training.iterationsPerEpoch())))
                .distinct()
                .toList();
    }
}
