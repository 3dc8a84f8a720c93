package dev.voxgrad.losses;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.op.SegLoss.Nonlinearity;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.Random;
import java.util.Set;
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
                        new Sum.Part(
                                1,
                                new CrossEntropy(
                                        ClassWeights.of(List.of(1.0, 2.0, 3.5)), 0.1, CrossEntropy.Reduction.MEAN)))));
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
                "dice + 2*(0*ce) + ce + 2*dice | 3*dice + ce",
                "tversky(beta=0.3) | tversky(0.3)",
                "'tversky(0.3, sigmoid=true)' | 'tversky(0.3, sigmoid=true)'",
                "tversky(0.7) | tversky",
                "focal(3) | focal(3)",
                "focal(gamma=2) | focal",
            })
    void printsInShortestForm(String text, String printed) {
        assertThat(parse(text)).hasToString(printed);
    }

    /** Losses around a loss. */
    private static final Set<String> WRAPPERS = Set.of("blob", "schedule");

    @Test
    void everyNameReadsAndPrintsItself() {
        assertThat(Losses.factories().keySet()).allSatisfy(name -> {
            String text = WRAPPERS.contains(name) ? name + "(dice)" : name;
            Sum sum = parseAny(text);
            assertThat(sum.toString()).startsWith(name);
            assertThat(parseAny(sum.toString())).isEqualTo(sum);
        });
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

    private static Sum parseAny(String text) {
        LossContext context =
                LossContext.of(3).withCounts(new LabelCounts(List.of(60L, 30L, 10L), List.of(100L, 100L, 100L)));
        return LossBuilder.build(text, TestLosses.CATALOG, context);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "0.5*(dice + ce) | 0.5*dice + 0.5*ce",
                "2*(dice + 0.5*(ce + (dice))) + ce | 3*dice + 2*ce",
                "wrap(dice) | wrap(dice)",
                "'wrap(dice, 0.1)' | 'wrap(dice, 0.1)'",
                "'wrap(ce, share=0.1, reduction=sum)' | 'wrap(ce, 0.1, sum)'",
                "'wrap(ce, 0.5, sum)' | 'wrap(ce, reduction=sum)'",
                "'wrap( 0.5 * dice+ce ,order=3)' | 'wrap(0.5*dice + ce, order=3)'",
                "'2*wrap(wrap(ce) + (dice), weights=median_frequency)' | '2*wrap(wrap(ce) + dice, weights=median_frequency)'",
                "'wrap(2*(dice + ce), weights=[1, 2, -0])' | 'wrap(2*dice + 2*ce, weights=[1, 2, -0])'",
            })
    void readsNestedLosses(String text, String printed) {
        assertThat(parseAny(text)).hasToString(printed);
        assertThat(parseAny(printed)).isEqualTo(parseAny(text));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "dice + regions | dice(sigmoid=true) + regions",
                "regions + wrap(wrap(dice)) | regions + wrap(wrap(dice(sigmoid=true)))",
                "dice + wrap(regions) | dice(sigmoid=true) + wrap(regions)",
                "dice + wrap(dice(sigmoid=true)) | dice(sigmoid=true) + wrap(dice(sigmoid=true))",
                "dice + wrap(dice(sigmoid=false)) | dice + wrap(dice)",
            })
    void oneSigmoidLossMakesTheOthersSigmoid(String text, String printed) {
        assertThat(parseAny(text)).hasToString(printed);
        assertThat(parseAny(printed)).isEqualTo(parseAny(text));
    }

    @Test
    void weightsByRuleComeFromTheCounts() {
        Sum sum = parseAny("wrap(dice, weights=inverse_frequency)");
        ClassWeights weights = ((TestLosses.Wrap) sum.parts().getFirst().term()).weights();
        assertThat(weights).hasToString("inverse_frequency");
        assertThat(weights.values()).containsExactly(100 / 180.0, 100 / 90.0, 100 / 30.0);
    }

    @Test
    void printedTextOfNestedLossesReadsBackToAnEqualLoss() {
        Random random = new Random(SEED);
        for (int round = 0; round < 500; round++) {
            Nonlinearity nonlinearity = Nonlinearity.values()[round % 2];
            Sum sum = nested(random, nonlinearity, 3);
            assertThat(parseAny(sum.toString()))
                    .as("seed %d, round %d", SEED, round)
                    .isEqualTo(sum);
        }
    }

    private static Sum nested(Random random, Nonlinearity nonlinearity, int depth) {
        List<Sum.Part> parts = new ArrayList<>();
        do {
            List<Term> terms = RandomLosses.terms(random, 3, nonlinearity);
            Term term = terms.get(random.nextInt(terms.size()));
            if (depth > 0 && random.nextBoolean()) {
                term = new TestLosses.Wrap(
                        nested(random, nonlinearity, depth - 1),
                        random.nextBoolean() ? 0.5 : random.nextDouble(),
                        CrossEntropy.Reduction.values()[random.nextInt(2)],
                        random.nextInt(3),
                        ClassWeights.of(random.nextBoolean() ? List.of() : List.of(1.5, random.nextDouble(), 0.0)));
            }
            parts.add(new Sum.Part(random.nextBoolean() ? 1 : random.nextDouble() * 1e5, term));
        } while (random.nextBoolean());
        return new Sum(parts);
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 2, 256})
    void ignoreLabelMustNotBeAClass(int label) {
        assertThatThrownBy(() -> Losses.parse("dice + ce", 3, OptionalInt.of(label)))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("ignore label " + label);
    }

    @Test
    void ignoreLabelOfASigmoidLossMustBeInNoRegion() {
        assertThatThrownBy(() -> Losses.parse("dice(sigmoid=true)", 3, OptionalInt.of(3)))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("ignore label 3");
        assertThat(Losses.parse("dice(sigmoid=true)", 3, OptionalInt.of(4))).isNotNull();
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
