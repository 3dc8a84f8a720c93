package dev.voxgrad.losses;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.op.Progress;
import dev.voxgrad.engine.op.SegLoss.Nonlinearity;
import dev.voxgrad.engine.tensor.Device;
import dev.voxgrad.engine.tensor.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Losses that change with time: their text, their weights, and that a point in time gives a plain loss. */
class ScheduleTest {
    private static final long SEED = 12;
    private static final int EPOCHS = 100;
    private static final int STEPS = 10;

    private static SegmentationLoss parse(String text) {
        return (SegmentationLoss) Losses.parse(text, LossContext.of(3));
    }

    private static String at(String text, int epoch, int step) {
        return parse(text).at(new Progress(epoch, EPOCHS, step, STEPS)).toString();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "schedule(ce) | schedule(ce)",
                "'schedule(ce+dice, constant)' | schedule(ce + dice)",
                "schedule(ce->dice) | schedule(ce -> dice)",
                "'schedule(ce -> dice, step, at=0.5)' | schedule(ce -> dice)",
                "'schedule(ce -> dice, mode=linear)' | 'schedule(ce -> dice, linear)'",
                "'schedule( ce -> ce+dice -> dice , linear, at=0.33..0.66)' "
                        + "| 'schedule(ce -> ce + dice -> dice, linear, at=0.33..0.66)'",
                "'schedule(ce -> dice, cosine, epochs=[30, 60])' | 'schedule(ce -> dice, cosine, epochs=30..60)'",
                "'schedule(ce -> dice -> ce, epochs=[30, 60])' | 'schedule(ce -> dice -> ce, epochs=30..60)'",
                "'schedule(ce -> dice -> ce, cosine, steps=[30, 60, 70])' "
                        + "| 'schedule(ce -> dice -> ce, cosine, steps=[30, 60, 70])'",
                "'schedule(ce -> dice, steps=7, by=epoch)' | 'schedule(ce -> dice, steps=7, by=epoch)'",
                "'schedule(ce -> dice, steps=7, by=step)' | 'schedule(ce -> dice, steps=7)'",
                "'0.5*schedule(ce -> dice, at=0.2, by=step) + dice' | '0.5*schedule(ce -> dice, at=0.2, by=step) + dice'",
                "schedule(ce -> schedule(ce + dice -> dice)) | schedule(ce -> schedule(ce + dice -> dice))",
                "schedule(dice -> dice(sigmoid=true)) | schedule(dice(sigmoid=true) -> dice(sigmoid=true))",
            })
    void printsInShortestForm(String text, String printed) {
        assertThat(parse(text)).hasToString(printed);
        assertThat(parse(printed)).isEqualTo(parse(text));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "'schedule(ce -> dice, at=0.305)' | 30 | 9 | ce",
                "'schedule(ce -> dice, at=0.305)' | 31 | 0 | dice",
                "'schedule(ce -> dice, at=0.305, by=step)' | 30 | 4 | ce",
                "'schedule(ce -> dice, at=0.305, by=step)' | 30 | 5 | dice",
                "'schedule(ce -> dice, epochs=30.5, by=step)' | 30 | 4 | ce",
                "'schedule(ce -> dice, epochs=30.5, by=step)' | 30 | 5 | dice",
                "'schedule(ce -> dice, steps=305)' | 30 | 4 | ce",
                "'schedule(ce -> dice, steps=305)' | 30 | 5 | dice",
                "'schedule(ce -> dice, steps=305, by=epoch)' | 30 | 9 | ce",
                "'schedule(ce -> dice, steps=305, by=epoch)' | 31 | 0 | dice",
                "'schedule(ce -> ce + dice -> dice)' | 32 | 0 | ce",
                "'schedule(ce -> ce + dice -> dice)' | 33 | 0 | ce + dice",
                "'schedule(ce -> ce + dice -> dice)' | 66 | 0 | ce + dice",
                "'schedule(ce -> ce + dice -> dice)' | 67 | 0 | dice",
                "'schedule(ce -> dice, linear, epochs=20..40)' | 20 | 0 | ce",
                "'schedule(ce -> dice, linear, epochs=20..40)' | 25 | 9 | 0.75*ce + 0.25*dice",
                "'schedule(ce -> dice, linear, epochs=20..40)' | 40 | 0 | dice",
                "'2*schedule(ce -> dice, linear, epochs=20..40) + dice' | 25 | 0 | 1.5*ce + 1.5*dice",
                "'schedule(ce -> ce + dice -> dice, linear, epochs=20..40)' | 25 | 0 | ce + 0.5*dice",
                "'schedule(ce -> ce + dice -> dice, linear, epochs=20..40)' | 30 | 0 | ce + dice",
                "'schedule(ce -> schedule(ce + dice -> dice, at=0.8), at=0.4)' | 40 | 0 | ce + dice",
                "'schedule(ce -> schedule(ce + dice -> dice, at=0.8), at=0.4)' | 80 | 0 | dice",
                "'schedule(ce -> dice, at=1)' | 99 | 9 | ce",
                "'schedule(ce -> dice, at=0)' | 0 | 0 | dice",
                "'schedule(ce -> dice, linear, at=0.3..0.301)' | 29 | 0 | ce",
                "'schedule(ce -> dice, linear, at=0.3..0.301)' | 30 | 0 | dice",
            })
    void isAPlainLossAtAPoint(String text, int epoch, int step, String expected) {
        assertThat(at(text, epoch, step)).isEqualTo(expected);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "schedule() | 0 | expected a loss in parentheses",
                "schedule | 0 | expected a loss in parentheses",
                "schedule(3) | 9 | is not a loss",
                "'schedule(ce, step)' | 0 | give two or more",
                "'schedule(ce -> dice, constant)' | 0 | give one",
                "'schedule(ce -> dice, linea)' | 21 | 'expected constant or step or linear or cosine'",
                "'schedule(ce -> dice, at=0.3..0.6)' | 24 | 'at one point; give it, as in at=0.5'",
                "'schedule(ce -> dice, linear, at=0.5)' | 32 | 'needs 2 numbers'",
                "'schedule(ce -> dice, linear, at=[0.1, 0.2, 0.3])' | 32 | 'needs 2 numbers'",
                "'schedule(ce -> dice, linear, at=300..600)' | 0 | 'at most 1; for epochs write epochs='",
                "'schedule(ce -> dice, linear, at=0.6..0.3)' | 0 | growing",
                "'schedule(ce -> dice, at=0.3, epochs=3)' | 36 | 'give one of at, epochs and steps'",
                "'schedule(ce -> dice, at=soon)' | 24 | expected a number",
                "'schedule(ce -> dicee)' | 15 | 'unknown loss \"dicee\" (did you mean dice?)'",
                "'schedule(ce -> )' | 15 | expected a loss",
                "'schedule(ce -> dice(sigmoid=true))' | 0 | 'a network has one kind'",
                "'dice -> ce' | 5 | 'an arrow belongs into schedule(...)'",
            })
    void errorsPointAtThePlace(String text, int position, String message) {
        assertThatThrownBy(() -> parse(text))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining(message)
                .hasMessageEndingWith("\n  " + text + "\n  " + " ".repeat(position) + "^");
    }

    @Test
    void printedTextReadsBackToAnEqualLoss() {
        Random random = new Random(SEED);
        for (int round = 0; round < 300; round++) {
            SegmentationLoss loss = random(random);
            assertThat(parse(loss.toString()))
                    .as("seed %d, round %d", SEED, round)
                    .isEqualTo(loss);
        }
    }

    private static SegmentationLoss random(Random random) {
        Schedule.Mode mode = Schedule.Mode.values()[random.nextInt(4)];
        int count = mode == Schedule.Mode.CONSTANT ? 1 : 2 + random.nextInt(3);
        List<Sum> stages = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            stages.add(
                    Sum.of(RandomLosses.terms(random, 3, Nonlinearity.SOFTMAX).toArray(Term[]::new)));
        }
        ScheduleMarks.Unit unit = ScheduleMarks.Unit.values()[random.nextInt(3)];
        int marks = mode == Schedule.Mode.CONSTANT ? 0 : mode == Schedule.Mode.STEP ? count - 1 : count;
        double scale = unit == ScheduleMarks.Unit.AT ? 1 : 1000;
        List<Double> values = random.doubles(marks, 0, scale).sorted().boxed().toList();
        ScheduleMarks.By by = ScheduleMarks.By.values()[random.nextInt(2)];
        ScheduleMarks when = new ScheduleMarks(marks == 0 ? ScheduleMarks.Unit.AT : unit, values, by);
        Term term = new Schedule(stages, mode, when);
        Sum sum = new Sum(List.of(new Sum.Part(random.nextDouble(), term), new Sum.Part(1, SoftDice.DEFAULT)));
        return (SegmentationLoss) new SegmentationLoss(sum, 3, LossContext.of(3).ignoreLabel());
    }

    @Test
    void valueAndGradientAreThoseOfTheBlend() {
        Batch batch = Batch.random(new Random(SEED), new Shape(2, 1, 4, 5, 3), 1, Nonlinearity.SOFTMAX);
        SegmentationLoss quarter =
                parse("schedule(ce -> dice, linear, epochs=20..40)").at(Progress.ofEpoch(25, EPOCHS));
        try (Device device = Device.cpu(1)) {
            double expected = 0.75 * batch.value(device, parse("ce")) + 0.25 * batch.value(device, parse("dice"));
            assertThat(batch.value(device, quarter)).isCloseTo(expected, within(1e-12));
            assertThat(batch.gradient(device, quarter)).isEqualTo(batch.gradient(device, parse("0.75*ce + 0.25*dice")));
            assertThatThrownBy(() -> batch.value(device, parse("schedule(ce -> dice)")))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("Loss.at");
        }
    }

    @Test
    void lossOfWeightZeroIsNotThere() {
        Sum sum = parse("schedule(ce -> ce + dice -> dice, cosine)").sum();
        for (int epoch = 0; epoch < EPOCHS; epoch++) {
            assertThat(sum.at(Progress.ofEpoch(epoch, EPOCHS)).parts())
                    .allMatch(part -> part.weight() > 0 && !(part.term() instanceof Schedule));
        }
    }

    @Test
    void lossWithoutScheduleIsTheSameAtEveryPoint() {
        SegmentationLoss loss = parse("dice + 2*ce");
        assertThat(loss.at(Progress.ofEpoch(3, EPOCHS))).isSameAs(loss);
    }
}
