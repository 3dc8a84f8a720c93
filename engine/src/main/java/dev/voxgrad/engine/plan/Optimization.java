package dev.voxgrad.engine.plan;

import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.JsonDefault;
import dev.voxgrad.engine.optim.Ranger21;
import java.util.List;

/**
 * Options of optimizer and learning-rate schedule. Every key may be left out of the JSON text; an option that the chosen optimizer or
 * schedule does not use must have its default.
 *
 * @param nesterov whether the momentum of sgd looks ahead; without momentum it means nothing
 * @param dampening of the gradient in sgd's momentum, in [0, 1]; only with a momentum, without nesterov
 * @param beta1 weight of the past in the first moment of adam, adamw and ranger21
 * @param beta2 the same in the second moment
 * @param eps beside the root of the second moment
 * @param amsgrad whether adam and adamw divide by the largest second moment so far
 * @param ranger21 components of ranger21
 * @param ratePerStep whether the learning rate changes every step instead of every epoch; warm-up epochs are interpolated then.
 *     {@code warmUpSteps} and the schedule {@code warm-up-down} always go by step
 * @param warmUpSteps steps of a linear rise before the schedule, fewer than the training has; not together with warm-up epochs
 * @param polyPower exponent of the schedule poly
 * @param cosineEnd learning rate at the end of the schedule cosine, at most the one at the start
 * @param milestones epochs from which on the schedule step multiplies the learning rate by {@code gamma} once more; all of
 *     them after the warm-up
 * @param gamma factor of the schedule step
 * @param automaticWarmUp whether the schedule warm-up-down rises over 2/(1 - beta2) steps, or 22 % of a run that is too short for that,
 *     where neither warm-up epochs nor steps are given
 * @param warmDownStart share of the run after which the schedule warm-up-down falls; 1 = never
 * @param warmDownFloor learning rate at its end, at most the one at the start; only where it falls
 * @param weightEma decay of a moving average of the weights, for example 0.999; 0 = off. Validation, the choice of the best epoch and
 *     prediction use the average then, training goes on with the weights themselves
 */
public record Optimization(
        @JsonDefault("true") boolean nesterov,
        @JsonDefault("0.0") double dampening,
        @JsonDefault("0.9") double beta1,
        @JsonDefault("0.999") double beta2,
        @JsonDefault("1.0E-8") double eps,
        @JsonDefault("false") boolean amsgrad,
        @JsonDefault("{}") Ranger21.Components ranger21,
        @JsonDefault("false") boolean ratePerStep,
        @JsonDefault("0") int warmUpSteps,
        @JsonDefault("0.9") double polyPower,
        @JsonDefault("0.0") double cosineEnd,
        @JsonDefault("[]") List<Integer> milestones,
        @JsonDefault("0.1") double gamma,
        @JsonDefault("true") boolean automaticWarmUp,
        @JsonDefault("0.72") double warmDownStart,
        @JsonDefault("3.0E-5") double warmDownFloor,
        @JsonDefault("0.0") double weightEma) {
    private static final Optimization STANDARD = new Optimization(
            true,
            0,
            0.9,
            0.999,
            1e-8,
            false,
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
            0);

    /** Checks every value. */
    public Optimization {
        require(dampening >= 0 && dampening <= 1, "dampening", dampening, "a number in [0, 1]");
        require(dampening == 0 || !nesterov, "dampening", dampening, "0, or set nesterov to false");
        require(beta1 >= 0 && beta1 < 1, "beta1", beta1, "a number in [0, 1) such as 0.9");
        require(beta2 >= 0 && beta2 < 1, "beta2", beta2, "a number in [0, 1) such as 0.999");
        require(eps > 0 && eps < 1, "eps", eps, "a small positive number such as 1e-8");
        require(ranger21 != null, "ranger21", null, "an object with options, or leave it out");
        require(warmUpSteps >= 0, "warmUpSteps", warmUpSteps, "0 (off) or a number of steps");
        require(polyPower >= 0 && polyPower < 100, "polyPower", polyPower, "a number of at least 0 such as 0.9");
        require(cosineEnd >= 0 && cosineEnd < 1e6, "cosineEnd", cosineEnd, "a number of at least 0");
        require(
                milestones != null && ascending(milestones),
                "milestones",
                milestones,
                "a list of ascending epochs of at least 1");
        milestones = List.copyOf(milestones);
        require(gamma > 0 && gamma < 1e6, "gamma", gamma, "a positive number such as 0.1");
        require(warmDownStart >= 0 && warmDownStart <= 1, "warmDownStart", warmDownStart, "a share; 1 = never");
        require(warmDownFloor >= 0 && warmDownFloor < 1e6, "warmDownFloor", warmDownFloor, "a number of at least 0");
        require(weightEma >= 0 && weightEma < 1, "weightEma", weightEma, "0 (off) or a decay such as 0.999");
    }

    private static boolean ascending(List<Integer> milestones) {
        int last = 0;
        for (Integer milestone : milestones) {
            if (milestone == null || milestone <= last) {
                return false;
            }
            last = milestone;
        }
        return true;
    }

    /** The usual values: what a plan without options gets. */
    public static Optimization standard() {
        return STANDARD;
    }

    /** Checks that every option that is set has an effect. */
    void requireUsed(String optimizer, double momentum, String schedule) {
        Optimization o = STANDARD;
        Use byOptimizer = new Use("optimizer", optimizer);
        byOptimizer.require("nesterov", nesterov != o.nesterov, "sgd");
        byOptimizer.require("dampening", dampening != o.dampening, "sgd");
        byOptimizer.require("beta1", beta1 != o.beta1, "adam", "adamw", "ranger21");
        byOptimizer.require("beta2", beta2 != o.beta2, "adam", "adamw", "ranger21");
        byOptimizer.require("eps", eps != o.eps, "adam", "adamw", "ranger21");
        byOptimizer.require("amsgrad", amsgrad, "adam", "adamw");
        byOptimizer.require("ranger21", !ranger21.equals(o.ranger21), "ranger21");
        Use bySchedule = new Use("schedule", schedule);
        bySchedule.require("polyPower", polyPower != o.polyPower, "poly");
        bySchedule.require("cosineEnd", cosineEnd != o.cosineEnd, "cosine");
        bySchedule.require("milestones", !milestones.isEmpty(), "step");
        bySchedule.require("gamma", gamma != o.gamma, "step");
        bySchedule.require("automaticWarmUp", automaticWarmUp != o.automaticWarmUp, "warm-up-down");
        bySchedule.require("warmDownStart", warmDownStart != o.warmDownStart, "warm-up-down");
        bySchedule.require("warmDownFloor", warmDownFloor != o.warmDownFloor, "warm-up-down");
        require(dampening == 0 || momentum > 0, "dampening", dampening, "0, because training.momentum is 0");
        require(
                warmDownStart < 1 || warmDownFloor == o.warmDownFloor,
                "warmDownFloor",
                warmDownFloor,
                "it with a warmDownStart below 1, or leave it out");
    }

    /** Checks that no schedule ends above the rate where it starts. */
    void requireRates(String schedule, double learningRate) {
        require(
                cosineEnd <= learningRate,
                "cosineEnd",
                cosineEnd,
                "at most training.learningRate, which is " + learningRate);
        require(
                !schedule.equals("warm-up-down") || warmDownStart == 1 || warmDownFloor <= learningRate,
                "warmDownFloor",
                warmDownFloor,
                "at most training.learningRate, which is " + learningRate);
    }

    /** Checks that warm-up and milestones lie within the training, one after the other. */
    void requireLengths(String schedule, int warmUpEpochs, int epochs, int iterationsPerEpoch) {
        require(
                warmUpSteps == 0 || warmUpEpochs == 0,
                "warmUpSteps",
                warmUpSteps,
                "0, because training.warmUpEpochs is " + warmUpEpochs + " already");
        require(
                warmUpSteps < epochs * iterationsPerEpoch,
                "warmUpSteps",
                warmUpSteps,
                "fewer than the " + epochs * iterationsPerEpoch + " steps of the training");
        require(
                !schedule.equals("step") || !milestones.isEmpty(),
                "milestones",
                milestones,
                "the epochs at which the schedule step falls, for example [100, 200]");
        require(
                milestones.stream().allMatch(m -> m > warmUpEpochs && m < epochs),
                "milestones",
                milestones,
                "epochs after the warm-up (" + warmUpEpochs + ") and before the end (" + epochs + ")");
        require(
                milestones.stream().allMatch(m -> m * iterationsPerEpoch > warmUpSteps),
                "milestones",
                milestones,
                "epochs after the warm-up: warmUpSteps is " + warmUpSteps + ", an epoch has " + iterationsPerEpoch
                        + " steps");
    }

    /** Who uses an option, and what was chosen instead. */
    private record Use(String key, String chosen) {
        void require(String option, boolean set, String... users) {
            if (set && !List.of(users).contains(chosen)) {
                throw new ConfigException("training.optimization." + option + " is set, but the " + key + " " + chosen
                        + " does not use it; leave it out, or choose one of " + List.of(users));
            }
        }
    }

    private static void require(boolean holds, String key, Object found, String valid) {
        if (!holds) {
            throw new ConfigException("training.optimization." + key + " is " + found + "; use " + valid);
        }
    }
}
