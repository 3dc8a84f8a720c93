package dev.voxgrad.engine.plan;

import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.JsonDefault;
import java.util.List;
import java.util.TreeSet;
import java.util.function.Consumer;

/**
 * How to train.
 *
 * @param loss text such as {@code dice + ce}; read by the module of losses
 * @param optimizer {@code sgd}, {@code adam} (decay in the gradient), {@code adamw} or {@code ranger21}
 * @param learningRate at the start
 * @param momentum of sgd, in [0, 1); 0 = plain descent; the others do not use it
 * @param weightDecay of all parameters
 * @param schedule of the learning rate: {@code poly}, {@code cosine}, {@code step}, {@code constant}, or Ranger21's
 *     {@code warm-up-down}; by epoch, unless {@link Optimization} says by step
 * @param warmUpEpochs epochs of a linear rise before the schedule
 * @param epochs number of epochs
 * @param iterationsPerEpoch training batches per epoch
 * @param validationIterations validation batches per epoch; 0 = no validation
 * @param gradientClip largest L2 norm of all gradients together; 0 = off
 * @param foregroundOversampling share of each batch that is centred on foreground, the last samples of it
 * @param mirrorAxes axes that are flipped at random, in training and for averaging in prediction: 0 = z, 1 = y, 2 = x
 * @param intensity random changes of intensities
 * @param deepSupervision whether the lower resolutions of the decoder have losses too; as in the network
 * @param earlyStopPatience epochs without a better moving average of the validation Dice before the end; 0 = off
 * @param checkpointEvery epochs between two checkpoints
 * @param seed of every random number of the training
 * @param optimization options of optimizer and schedule; may be left out of the JSON text
 * @param recompute feature maps that are computed again instead of kept; may be left out of the JSON text: none
 */
public record Training(
        String loss,
        String optimizer,
        double learningRate,
        double momentum,
        double weightDecay,
        String schedule,
        int warmUpEpochs,
        int epochs,
        int iterationsPerEpoch,
        int validationIterations,
        double gradientClip,
        double foregroundOversampling,
        List<Integer> mirrorAxes,
        Intensity intensity,
        boolean deepSupervision,
        int earlyStopPatience,
        int checkpointEvery,
        long seed,
        @JsonDefault("{}") Optimization optimization,
        @JsonDefault("\"none\"") Recompute recompute) {
    private static final List<String> OPTIMIZERS = List.of("sgd", "adam", "adamw", "ranger21");
    private static final List<String> SCHEDULES = List.of("poly", "cosine", "step", "constant", "warm-up-down");

    /** Checks every value. */
    public Training {
        require(loss != null && !loss.isBlank(), "loss", loss, "a text such as \"dice + ce\"");
        require(OPTIMIZERS.contains(optimizer), "optimizer", optimizer, "one of " + OPTIMIZERS);
        require(learningRate > 0 && learningRate < 1e6, "learningRate", learningRate, "a positive number such as 0.01");
        require(momentum >= 0 && momentum < 1, "momentum", momentum, "a number in [0, 1) such as 0.99");
        require(weightDecay >= 0 && weightDecay < 1, "weightDecay", weightDecay, "a number in [0, 1) such as 3e-5");
        require(SCHEDULES.contains(schedule), "schedule", schedule, "one of " + SCHEDULES);
        require(epochs >= 1, "epochs", epochs, "a whole number of at least 1");
        require(
                warmUpEpochs >= 0 && warmUpEpochs < epochs,
                "warmUpEpochs",
                warmUpEpochs,
                "0 to epochs - 1 = " + (epochs - 1));
        require(iterationsPerEpoch >= 1, "iterationsPerEpoch", iterationsPerEpoch, "a whole number of at least 1");
        require(validationIterations >= 0, "validationIterations", validationIterations, "0 (off) or more");
        require(gradientClip >= 0 && gradientClip < 1e6, "gradientClip", gradientClip, "0 (off) or a norm such as 12");
        Intensity.probability("foregroundOversampling", foregroundOversampling);
        require(
                mirrorAxes != null
                        && new TreeSet<>(mirrorAxes).size() == mirrorAxes.size()
                        && List.of(0, 1, 2).containsAll(mirrorAxes),
                "mirrorAxes",
                mirrorAxes,
                "a list of different axes out of 0 (z), 1 (y), 2 (x)");
        mirrorAxes = List.copyOf(mirrorAxes);
        require(
                intensity != null,
                "intensity",
                null,
                "an object; see the plan.json in the folder of any trained model");
        require(earlyStopPatience >= 0, "earlyStopPatience", earlyStopPatience, "0 (off) or a number of epochs");
        require(checkpointEvery >= 1, "checkpointEvery", checkpointEvery, "a number of epochs of at least 1");
        require(optimization != null, "optimization", null, "an object with options, or leave it out");
        require(recompute != null, "recompute", null, "none or stages");
        require(
                (long) epochs * iterationsPerEpoch <= Integer.MAX_VALUE,
                "iterationsPerEpoch",
                iterationsPerEpoch,
                "at most " + Integer.MAX_VALUE / epochs + ", so that " + epochs + " epochs have no more than "
                        + Integer.MAX_VALUE + " steps");
        optimization.requireUsed(optimizer, momentum, schedule);
        optimization.requireRates(schedule, learningRate);
        optimization.requireLengths(schedule, warmUpEpochs, epochs, iterationsPerEpoch);
    }

    /** nnU-Net's training: SGD with Nesterov momentum, polynomial decay, 1000 epochs of 250 batches. */
    public static Training standard() {
        return new Training(
                "dice + ce",
                "sgd",
                0.01,
                0.99,
                3e-5,
                "poly",
                0,
                1000,
                250,
                50,
                12,
                0.33,
                List.of(0, 1, 2),
                Intensity.standard(),
                true,
                0,
                50,
                0,
                Optimization.standard(),
                Recompute.NONE);
    }

    /** The same training with other values: {@code with(t -> t.epochs = 3)}. */
    public Training with(Consumer<TrainingDraft> change) {
        TrainingDraft draft = new TrainingDraft(this);
        change.accept(draft);
        return draft.checked();
    }

    private static void require(boolean holds, String key, Object found, String valid) {
        if (!holds) {
            throw new ConfigException("training." + key + " is " + found + "; use " + valid);
        }
    }
}
