package dev.voxgrad.losses;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.op.SegLoss.Nonlinearity;
import java.util.List;
import java.util.OptionalInt;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Text to loss and back. */
class LossTextTest {
    private static final long SEED = 99;

    private static SegmentationLoss parse(String text) {
        return (SegmentationLoss) Losses.parse(text, 3, OptionalInt.empty());
    }

    @Test
    void readsTermsWeightsAndArguments() {
        assertThat(parse("0.5*dice(smooth=1e-4, batch=true, background=true) + ce(smoothing=0.1, weights=[1,2, 3.5])")
                        .sum())
                .isEqualTo(new Sum(List.of(
                        new Sum.Part(0.5, new SoftDice(true, true, 1e-4, Nonlinearity.SOFTMAX)),
                        new Sum.Part(1, new CrossEntropy(List.of(1.0, 2.0, 3.5), 0.1, CrossEntropy.Reduction.MEAN)))));
    }

    @Test
    void defaultIsDiceAndCrossEntropy() {
        assertThat(parse(Losses.DEFAULT).sum()).isEqualTo(Sum.of(SoftDice.DEFAULT, CrossEntropy.DEFAULT));
    }

    @Test
    void sigmoidDiceCountsItsFirstChannel() {
        assertThat(parse("dice(sigmoid=true)").sum())
                .isEqualTo(Sum.of(new SoftDice(false, true, 1e-5, Nonlinearity.SIGMOID)));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "dice+ce | dice + ce",
                "' 1.0 * dice( ) + 2.*ce ' | dice + 2*ce",
                "dice(smooth=0.00001) | dice",
                "dice(smooth=1E-6,\tbatch=false) | dice(smooth=1e-6)",
                "ce(reduction=sum) | ce(reduction=sum)",
                "ce(weights=[ 1 ,0, .25 ]) | 'ce(weights=[1, 0, 0.25])'",
                "dice(sigmoid=true, background=false) | 'dice(background=false, sigmoid=true)'",
                "0*ce + dice | 0*ce + dice",
            })
    void printsInShortestForm(String text, String printed) {
        assertThat(parse(text)).hasToString(printed);
    }

    @Test
    void everyNameReadsAndPrintsItself() {
        assertThat(Losses.names()).allSatisfy(name -> assertThat(parse(name)).hasToString(name));
    }

    @ParameterizedTest
    @EnumSource
    void printedTextReadsBackToAnEqualLoss(Nonlinearity nonlinearity) {
        Random random = new Random(SEED);
        for (int round = 0; round < 200; round++) {
            for (SegmentationLoss loss : RandomLosses.losses(random, 3, nonlinearity)) {
                assertThat(parse(loss.toString())).as("seed %d", SEED).isEqualTo(loss);
            }
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "dice + cee | 7 | 'unknown loss \"cee\"; valid names are ce, dice'",
                "dice(smoth=1) | 5 | 'dice has no argument \"smoth\"; it has background, batch, sigmoid, smooth'",
                "ce(smooth=1) | 3 | 'ce has no argument \"smooth\"; it has reduction, smoothing, weights'",
                "dice(smooth=big) | 12 | 'smooth is \"big\", expected a number'",
                "dice(smooth=NaN) | 12 | 'smooth is \"NaN\", expected a number'",
                "dice(smooth=-1) | 0 | 'smooth -1.0 must be'",
                "dice(batch=1) | 11 | 'batch is \"1\", expected true or false'",
                "dice(batch=true, batch=true) | 17 | batch is given twice",
                "ce(reduction=none) | 13 | expected mean or sum",
                "ce(weights=3) | 11 | 'expected a list such as [1, 2.5]'",
                "ce(weights=[1, x, 2]) | 11 | expected a list",
                "ce(weights=[]) | 11 | expected a list",
                "dice + ce(weights=[1, 2]) | 7 | 2 weights for 3 classes",
                "ce(weights=[0, 0, 0]) | 0 | all weights are 0",
                "ce(weights=[1, 2, -3]) | 0 | must be numbers of at least 0",
                "ce(smoothing=1) | 0 | 'is not in [0, 1)'",
                "'' | 0 | expected a loss",
                "dice + | 6 | expected a loss",
                "dice ce | 5 | expected + or the end",
                "dice - ce | 5 | expected + or the end",
                "-1*dice | 0 | expected a loss",
                "2 dice | 2 | expected * after the weight 2",
                "dice(smooth=1 | 13 | 'expected , or )'",
                "dice(smooth) | 11 | expected = after smooth",
                "dice(smooth=) | 12 | expected a value for smooth",
                "dice(1e-5) | 5 | expected an argument as in name=value",
                "1e999*dice | 0 | weight of dice is Infinity",
                "ce + dice(sigmoid=true) | 0 | a sum needs one kind",
            })
    void errorsPointAtThePlace(String text, int position, String message) {
        assertThatThrownBy(() -> parse(text))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining(message)
                .hasMessageEndingWith("\n  " + text + "\n  " + " ".repeat(position) + "^");
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 2, 256})
    void ignoreLabelMustNotBeAClass(int label) {
        assertThatThrownBy(() -> Losses.parse("dice + ce", 3, OptionalInt.of(label)))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("ignore label " + label);
    }

    @Test
    void sigmoidLossHasNoIgnoreLabel() {
        assertThatThrownBy(() -> Losses.parse("dice(sigmoid=true)", 3, OptionalInt.of(3)))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("softmax");
    }

    @Test
    void classesMustFit() {
        assertThatThrownBy(() -> Losses.parse("ce", 1, OptionalInt.empty()))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("softmax needs the background");
        assertThatThrownBy(() -> Losses.parse("dice(sigmoid=true, background=false)", 1, OptionalInt.empty()))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("background=true");
        assertThat(Losses.parse("dice(sigmoid=true)", 1, OptionalInt.empty())).hasToString("dice(sigmoid=true)");
    }
}
