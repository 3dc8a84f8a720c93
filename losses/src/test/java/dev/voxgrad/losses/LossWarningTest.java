package dev.voxgrad.losses;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Weighted Dice alone from the first epoch did not converge with 28 classes. */
class LossWarningTest {
    @Test
    void aLossOfNothingIsNotWeightedDice() {
        Sum nothing = new Sum(List.of(new Sum.Part(0, CrossEntropy.DEFAULT)));
        assertThat(Losses.warnings(new SegmentationLoss(nothing, 28, OptionalInt.empty()), 100))
                .isEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "wdice | 28 | true",
                "2*wdice + wdice(batch=false) | 28 | true",
                "schedule(wdice -> wce) | 28 | true",
                "0*wce + wdice | 28 | true",
                "wdice | 3 | false",
                "wce + wdice | 28 | false",
                "schedule(wce -> wce + wdice -> wdice) | 28 | false",
                "dice | 28 | false",
            })
    void weightedDiceAloneAtTheStartIsWarnedOf(String text, int classes, boolean warned) {
        LossContext context = LossContext.of(classes).withCounts(LabelCounts.equal(classes));
        List<String> warnings = Losses.warnings(Losses.parse(text, context), 100);
        assertThat(warnings).hasSize(warned ? 1 : 0).allMatch(w -> w.contains("schedule(wce -> wce + wdice -> wdice)"));
    }
}
