package dev.voxgrad.losses;

import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.op.Progress;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * The points of a training at which a {@link Schedule} changes: {@code at=0.5} in shares of the training, {@code epochs=100..200} or
 * {@code steps=[1000, 5000, 20000]}. A range stands for evenly spaced points, both ends included. Without any of the three they lie
 * evenly in the middle third for linear and cosine (both ends of it included), and for step so that every loss gets the same time.
 *
 * <p>{@code by=epoch} changes the loss between epochs only, {@code by=step} before every step. A share is rounded to a whole epoch or
 * step, half up.
 *
 * @param unit of the values
 * @param values at least 0, each larger than the one before
 * @param by how often the loss may change
 */
public record ScheduleMarks(Unit unit, List<Double> values, By by) {
    /** What marks count; the argument's name in loss text is the constant's. */
    public enum Unit {
        /** Shares of the whole training, 0 to 1. */
        AT,
        /** Epochs from the start. */
        EPOCHS,
        /** Training steps from the start. */
        STEPS
    }

    /** How often the loss may change. */
    public enum By {
        EPOCH,
        STEP
    }

    private static final double FIRST = 1.0 / 3;
    private static final double LAST = 2.0 / 3;

    /** Checks the order. */
    public ScheduleMarks {
        values = List.copyOf(values);
        for (int i = 0; i < values.size(); i++) {
            double value = values.get(i);
            double least = i == 0 ? 0 : Math.nextUp(values.get(i - 1));
            if (!(value >= least && value <= (unit == Unit.AT ? 1 : Long.MAX_VALUE))) {
                throw new ConfigException("schedule: " + TermText.word(unit) + "=" + TermText.list(values)
                        + " must be growing numbers of at least 0"
                        + (unit == Unit.AT ? " and at most 1; for epochs write epochs=" : ""));
            }
        }
    }

    static ScheduleMarks parse(Arguments arguments, int count, Schedule.Mode mode) {
        Unit unit = Unit.AT;
        List<Double> values = standard(count, mode);
        boolean given = false;
        for (Unit candidate : Unit.values()) {
            String name = TermText.word(candidate);
            Optional<Syntax> value = arguments.value(name);
            if (value.isPresent()) {
                if (given) {
                    throw arguments.error(name, "give one of at, epochs and steps");
                }
                given = true;
                unit = candidate;
                values = switch (value.get()) {
                    case Syntax.Number number -> List.of(number.value());
                    case Syntax.Numbers numbers -> numbers.values();
                    case Syntax.Range range when count != 1 -> spread(range.from(), range.to(), count);
                    case Syntax.Range range ->
                        throw arguments.error(
                                name, "step between two losses happens at one point; give it, as in at=0.5");
                    default -> throw arguments.error(name, "expected a number, a range such as 0.3..0.6 or a list");
                };
                requireCount(values, count, mode, arguments, name);
            }
        }
        return new ScheduleMarks(unit, values, arguments.choice("by", standardBy(unit)));
    }

    private static void requireCount(
            List<Double> values, int count, Schedule.Mode mode, Arguments arguments, String name) {
        if (values.size() != count) {
            throw arguments.error(
                    name,
                    TermText.word(mode) + " between these losses needs " + count
                            + (count == 1 ? " number" : " numbers, as a list or a range such as 0.3..0.6"));
        }
    }

    void requireCount(int count, Schedule.Mode mode, int stages) {
        if (values.size() != count) {
            throw new ConfigException("schedule: " + TermText.word(mode) + " between " + stages + " losses needs "
                    + count + " marks, not " + values.size());
        }
    }

    private static List<Double> standard(int count, Schedule.Mode mode) {
        return mode == Schedule.Mode.STEP
                ? IntStream.rangeClosed(1, count)
                        .mapToObj(i -> (double) i / (count + 1))
                        .toList()
                : spread(FIRST, LAST, count);
    }

    private static List<Double> spread(double from, double to, int count) {
        return IntStream.range(0, count)
                .mapToObj(i -> i == count - 1 ? to : from + i * (to - from) / (count - 1))
                .toList();
    }

    private static By standardBy(Unit unit) {
        return unit == Unit.STEPS ? By.STEP : By.EPOCH;
    }

    /** Where a training stands, in the unit of {@link #times}. */
    double time(Progress now) {
        Progress counted = by == By.EPOCH ? now.withStep(0) : now;
        return switch (unit) {
            case AT -> by == By.EPOCH ? now.epoch() : now.stepsDone();
            case EPOCHS -> counted.epoch() + (double) counted.step() / counted.stepsPerEpoch();
            case STEPS -> counted.stepsDone();
        };
    }

    /** The marks in epochs or steps. */
    List<Double> times(Progress now) {
        if (unit != Unit.AT) {
            return values;
        }
        double all = by == By.EPOCH ? now.epochs() : (double) now.epochs() * now.stepsPerEpoch();
        return values.stream().map(share -> (double) Math.round(share * all)).toList();
    }

    TermText print(TermText text, Schedule.Mode mode) {
        if (unit != Unit.AT || !values.equals(standard(values.size(), mode))) {
            int last = values.size() - 1;
            String value = last == 0
                    ? TermText.number(values.getFirst())
                    : values.equals(spread(values.getFirst(), values.getLast(), values.size()))
                            ? TermText.number(values.getFirst()) + ".." + TermText.number(values.getLast())
                            : TermText.list(values);
            text.argument(TermText.word(unit), value, false);
        }
        return text.argument("by", by, standardBy(unit));
    }
}
