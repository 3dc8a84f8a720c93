package dev.voxgrad.engine.train;

import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.optim.Schedule;
import dev.voxgrad.engine.plan.Optimization;
import dev.voxgrad.engine.plan.Training;
import java.util.List;

/**
 * The learning rate of every step of a training, a function of the position alone.
 *
 * @param schedule by epoch or by step
 * @param length of the schedule in epochs or steps
 * @param perStep whether it goes by step
 * @param iterationsPerEpoch steps of an epoch
 */
record LearningRate(Schedule schedule, int length, boolean perStep, int iterationsPerEpoch) {
    private static final String WARM_UP_DOWN = "warm-up-down";

    /** What a plan asks for. */
    static LearningRate of(Training training) {
        Optimization options = training.optimization();
        boolean perStep = options.ratePerStep()
                || options.warmUpSteps() > 0
                || training.schedule().equals(WARM_UP_DOWN);
        int perEpoch = training.iterationsPerEpoch();
        int unit = perStep ? perEpoch : 1; // indices of an epoch
        int length = training.epochs() * unit; // the plan keeps it within int
        int warmUp = options.warmUpSteps() > 0 ? options.warmUpSteps() : training.warmUpEpochs() * unit;
        return new LearningRate(schedule(training, warmUp, length, unit), length, perStep, perEpoch);
    }

    private static Schedule schedule(Training training, int warmUp, int length, int unit) {
        double start = training.learningRate();
        Optimization options = training.optimization();
        Schedule after = switch (training.schedule()) {
            case "poly" -> new Schedule.Poly(start, options.polyPower());
            case "cosine" -> new Schedule.Cosine(start, options.cosineEnd());
            case "constant" -> new Schedule.Constant(start);
            case "step" -> new Schedule.Step(start, milestones(options, warmUp, unit), options.gamma());
            case WARM_UP_DOWN -> {
                int automatic = options.automaticWarmUp()
                        ? Schedule.WarmUpWarmDown.automaticWarmUp(options.beta2(), length)
                        : 0;
                yield new Schedule.WarmUpWarmDown(
                        start, warmUp > 0 ? warmUp : automatic, options.warmDownStart(), options.warmDownFloor());
            }
            default -> throw new ConfigException("training.schedule is " + training.schedule() + ", which has no rate");
        };
        return warmUp == 0 || after instanceof Schedule.WarmUpWarmDown ? after : new Schedule.WarmUp(warmUp, after);
    }

    /** Milestones count from the start of the training; the schedule after a warm-up counts from its end, before all of them. */
    private static List<Integer> milestones(Optimization options, int warmUp, int unit) {
        return options.milestones().stream().map(epoch -> epoch * unit - warmUp).toList();
    }

    /** The rate of one step. */
    double at(int epoch, int iteration) {
        return schedule.rate(perStep ? epoch * iterationsPerEpoch + iteration : epoch, length);
    }
}
