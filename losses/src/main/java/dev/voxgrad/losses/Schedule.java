package dev.voxgrad.losses;

import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.op.Progress;
import dev.voxgrad.engine.op.SegLoss.Nonlinearity;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * A loss that changes during the training: {@code schedule(wce -> wce + wdice -> wdice, linear, at=0.33..0.66)}. It is a function of
 * the point in the training alone, so a checkpoint holds nothing of it. What it is at a point is a plain sum; losses of weight 0 are
 * left out of it.
 *
 * @param stages the losses in their order, one for {@code constant}, else at least two
 * @param mode how one follows the other
 * @param marks when
 */
public record Schedule(List<Sum> stages, Mode mode, ScheduleMarks marks) implements Term {
    /** How one loss follows the other. */
    public enum Mode {
        /** One loss for the whole training. */
        CONSTANT,
        /** Each loss up to its mark, the last one to the end. */
        STEP,
        /** Between two marks the weight moves evenly from one loss to the next. */
        LINEAR,
        /** As linear, with (1 - cos(pi x))/2 in place of x: it starts and ends gently. */
        COSINE
    }

    /** Checks that the parts fit each other. */
    public Schedule {
        stages = List.copyOf(stages);
        if (mode == Mode.CONSTANT ? stages.size() != 1 : stages.size() < 2) {
            throw new ConfigException("schedule: mode " + TermText.word(mode) + " and " + stages.size()
                    + (stages.size() == 1
                            ? " loss; give two or more, as in schedule(ce -> ce + dice)"
                            : " losses; give one, or mode step, linear or cosine"));
        }
        Sum first = stages.getFirst();
        for (Sum stage : stages) {
            if (stage.nonlinearity() != first.nonlinearity()) {
                throw new ConfigException("schedule: " + first + " is a loss of " + first.nonlinearity()
                        + " probabilities, " + stage + " one of " + stage.nonlinearity() + "; a network has one kind");
            }
        }
        marks.requireCount(marks(mode, stages.size()), mode, stages.size());
    }

    private static int marks(Mode mode, int stages) {
        return mode == Mode.CONSTANT ? 0 : mode == Mode.STEP ? stages - 1 : stages;
    }

    static Schedule parse(Arguments arguments) {
        List<Sum> stages = arguments.losses(0);
        Mode mode = arguments.positional(1, "mode", standardMode(stages));
        return new Schedule(stages, mode, ScheduleMarks.parse(arguments, marks(mode, stages.size()), mode));
    }

    private static Mode standardMode(List<Sum> stages) {
        return stages.size() == 1 ? Mode.CONSTANT : Mode.STEP;
    }

    @Override
    public Nonlinearity nonlinearity() {
        return stages.getFirst().nonlinearity();
    }

    @Override
    public void requireClasses(int classes) {
        stages.forEach(stage -> stage.requireClasses(classes));
    }

    /** The weights of the losses at a point; they sum to 1. */
    double[] weights(Progress progress) {
        double[] weights = new double[stages.size()];
        double time = marks.time(progress);
        List<Double> times = marks.times(progress);
        int passed = (int) times.stream().filter(mark -> mark <= time).count();
        if (mode == Mode.CONSTANT || mode == Mode.STEP) {
            weights[passed] = 1;
        } else if (passed == 0 || passed == stages.size()) {
            weights[passed == 0 ? 0 : passed - 1] = 1;
        } else {
            double from = times.get(passed - 1);
            double x = (time - from) / (times.get(passed) - from);
            double share = mode == Mode.COSINE ? (1 - Math.cos(Math.PI * x)) / 2 : x;
            weights[passed - 1] = 1 - share;
            weights[passed] = share;
        }
        return weights;
    }

    @Override
    public Sum at(Progress progress) {
        double[] weights = weights(progress);
        List<Sum.Part> parts = new ArrayList<>();
        for (int i = 0; i < weights.length; i++) {
            if (weights[i] != 0) {
                parts.add(new Sum.Part(weights[i], stages.get(i).at(progress)));
            }
        }
        return new Sum(parts);
    }

    @Override
    public String toString() {
        TermText text = new TermText("schedule")
                .positional(stages.stream().map(Sum::toString).collect(Collectors.joining(" -> ")))
                .positional("mode", mode, standardMode(stages));
        return marks.print(text, mode).toString();
    }
}
