package dev.voxgrad.losses;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.voxgrad.engine.ConfigException;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What wrong loss text is answered. */
class LossErrorTest {
    private static SegmentationLoss parse(String text) {
        return new SegmentationLoss(
                LossBuilder.build(text, TestLosses.CATALOG, LossContext.of(3)), 3, OptionalInt.empty());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "dice + cee | 7 | 'unknown loss \"cee\" (did you mean ce?); valid names are '",
                "dice + entropy | 7 | 'unknown loss \"entropy\"; valid names are '",
                "dice(smoth=1) | 5 | 'dice has no argument \"smoth\" (did you mean smooth?); it has background, batch, sigmoid, smooth'",
                "ce(smooth=1) | 3 | 'ce has no argument \"smooth\" (did you mean smoothing?); it has reduction, smoothing, weights'",
                "dice(smooth=big) | 12 | 'smooth is \"big\", expected a number'",
                "dice(smooth=NaN) | 12 | 'smooth is \"NaN\", expected a number'",
                "dice(smooth=-1) | 0 | 'smooth -1.0 must be'",
                "dice(batch=1) | 11 | 'batch is \"1\", expected true or false'",
                "dice(batch=true, batch=true) | 17 | batch is given twice",
                "ce(reduction=none) | 13 | expected mean or sum",
                "ce(weights=3) | 11 | 'expected a list such as [1, 2.5]'",
                "ce(weights=[1, x, 2]) | 15 | expected a number as in",
                "ce(weights=[]) | 12 | expected a number as in",
                "dice + ce(weights=[1, 2]) | 7 | 2 weights for 3 classes",
                "ce(weights=[0, 0, 0]) | 0 | all weights are 0",
                "0*dice | 0 | all weights are 0",
                "0*dice + 2*(0*ce) | 0 | all weights are 0",
                "ce + wrap(0*dice) | 10 | all weights are 0",
                "wce(weights=[1, 2, 3, 4]) | 0 | 'wce: 4 weights for 3 classes'",
                "ce(weights=[1, 2, 3, 4]) | 0 | 'ce: 4 weights for 3 classes'",
                "wce(smoothing=1, weights=[1, 2, 3]) | 0 | 'wce: smoothing 1.0 is not in [0, 1)'",
                "wdice + regions | 0 | a sum needs one kind",
                "dice + wdice | 7 | 'wdice: weights=median_frequency needs training labels'",
                "monai_dice(smooth_dr=0) | 0 | 'smooth_dr 0.0 must be a number above 0'",
                "gdl(smooth_dr=0) | 0 | 'smooth_dr 0.0 must be a number above 0'",
                "ce(weights=[1, 2, -3]) | 0 | must be numbers of at least 0",
                "ce(smoothing=1) | 0 | 'is not in [0, 1)'",
                "'' | 0 | expected a loss",
                "dice + | 6 | expected a loss",
                "dice ce | 5 | expected + or the end",
                "dice - ce | 5 | expected + or the end",
                "-1*dice | 0 | expected a loss",
                "2 dice | 2 | expected * after the weight 2",
                "dice(smooth=1 | 13 | 'expected , or )'",
                "dice(smooth) | 5 | expected = and a value after smooth",
                "dice(smooth=) | 12 | expected a value for smooth",
                "dice(1e-5) | 5 | 'dice takes no value \"1e-5\" at this place; it has background, batch, sigmoid, smooth'",
                "1e999*dice | 0 | weight of dice is Infinity",
                "ce + dice(sigmoid=true) | 0 | a sum needs one kind",
                "ce + 2*(dice + dice(sigmoid=true)) | 0 | a sum needs one kind",
                "2*(dice + ce | 12 | expected + or )",
                "2*() | 3 | expected a loss",
                "dice) | 4 | expected + or the end",
                "dice(batch=true, 3) | 17 | values without a name come first",
                "dice(smooth=0.1..0.2) | 12 | 'smooth is \"0.1..0.2\", expected a number'",
                "dice(smooth=0.1..) | 17 | expected a number after ..",
                "dice(smooth=dice + ce) | 12 | 'smooth is \"dice + ce\", expected a number'",
                "ce -> dice | 3 | an arrow belongs into schedule",
                "(ce -> dice) | 4 | an arrow belongs into schedule",
                "dice(smooth=%) | 12 | expected a value for smooth",
                "dice( , batch=true) | 6 | expected an argument as in name=value",
                "wrap(ce, weights=median) | 17 | 'expected a list such as [1, 2.5], median_frequency or inverse_frequency'",
                "wrap(ce, weights=median_frequency) | 17 | needs training labels",
                "wrap(dice -> ce) | 5 | an arrow belongs into schedule",
                "wrap(3) | 5 | '\"3\" is not a loss'",
                "dice + wrap | 7 | 'expected a loss in parentheses, as in wrap(dice)'",
                "wrap(dice + 2*wrap(cee)) | 19 | 'unknown loss \"cee\"'",
                "wrap(dice, 0.1, share=0.2) | 16 | 'share is given twice'",
                "wrap(dice, 0.1, sum, 0.2) | 21 | 'wrap takes no value \"0.2\" at this place'",
                "wrap(dice, share=3) | 17 | share 3 is not in",
                "wrap(dice, 3) | 11 | share 3 is not in",
                "wrap(dice, order=1.5) | 17 | expected a whole number",
            })
    void errorsPointAtThePlace(String text, int position, String message) {
        assertThatThrownBy(() -> parse(text))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining(message)
                .hasMessageEndingWith("\n  " + text + "\n  " + " ".repeat(position) + "^");
    }

    @Test
    void namesAreUniqueAndReadable() {
        LossFactory mine = new TestLosses.Wrapping();
        assertThatThrownBy(() -> new Catalog(List.of(mine, LossFactory.of("wrap", "", CrossEntropy::parse))))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("two losses have the name \"wrap\"")
                .hasMessageContaining("a built-in one")
                .hasMessageContaining(TestLosses.Wrapping.class.getName());
        assertThatThrownBy(() -> new Catalog(List.of(LossFactory.of("my-loss", "", CrossEntropy::parse))))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("my-loss");
    }

    @ParameterizedTest
    @CsvSource({"topkk, topk", "Dice, dice", "xdice, dice", "bec, ''", "crossentropy, ''", "'', ''"})
    void nearestNameIsASlipAway(String wrong, String expected) {
        List<String> valid = List.of("ce", "dice", "topk", "generalized_dice");
        assertThat(Nearest.of(wrong, valid).orElse("")).isEqualTo(expected);
    }
}
