package dev.voxgrad.engine.metric;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.augment.CounterRandom;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Numbers for comparison were computed with NumPy 2.4 and SciPy 1.17. */
class StatisticsTest {
    private static final double[] DICE = {0.91, 0.85, 0.78, 0.95, 0.20, 0.88, 0.93, 0.67};
    private static final double[] DIFFERENCES = {0.03, -0.01, 0.05, 0.02, -0.04, 0.07, 0.06, 0.011, 0.09, 0.012};

    /** 60 differences with many of equal size and one 0. */
    private static final double[] MANY =
            IntStream.range(0, 60).mapToDouble(i -> ((i * 37) % 61 - 25) / 4.0).toArray();

    @Test
    void numbersAreThoseOfNumpy() {
        Statistics s = Statistics.of(DICE);
        assertThat(s.mean()).isCloseTo(0.77125, within(1e-15));
        assertThat(s.sd()).isCloseTo(0.24816109399224645, within(1e-15));
        assertThat(s.median()).isCloseTo(0.865, within(1e-15));
        assertThat(s.lowerQuartile()).isCloseTo(0.7525, within(1e-15));
        assertThat(s.upperQuartile()).isCloseTo(0.915, within(1e-15));
    }

    @Test
    void quantilesAreNumpys() {
        double[] values = {0, 1, 1, 4, 10};
        assertThat(Statistics.quantile(values, 0)).isZero();
        assertThat(Statistics.quantile(values, 0.5)).isOne();
        assertThat(Statistics.quantile(values, 0.6)).isCloseTo(2.2, within(1e-12));
        assertThat(Statistics.quantile(values, 0.95)).isCloseTo(8.8, within(1e-12));
        assertThat(Statistics.quantile(values, 1)).isEqualTo(10);
        assertThat(Statistics.quantile(new double[] {3}, 0.95)).isEqualTo(3);
        assertThat(Statistics.quantile(new double[0], 0.95)).isNaN();
    }

    @Test
    void undefinedAndInfiniteValuesAreCountedApart() {
        Statistics s = Statistics.of(Double.NaN, 1, Double.POSITIVE_INFINITY, 3, Double.NaN);
        assertThat(s).isEqualTo(new Statistics(2, 2, 1, 2, Math.sqrt(2), 2, 1.5, 2.5));
        Statistics one = Statistics.of(4);
        assertThat(one).isEqualTo(new Statistics(1, 0, 0, 4, Double.NaN, 4, 4, 4));
        Statistics none = Statistics.of(Double.NaN);
        assertThat(none.used()).isZero();
        assertThat(new double[] {none.mean(), none.sd(), none.median(), none.upperQuartile()})
                .containsOnly(Double.NaN);
    }

    @ParameterizedTest
    @CsvSource({
        "-10, 7.61985302416047e-24",
        "-5, 2.866515718791933e-07",
        "-3.1, 0.0009676032132183563",
        "-2.9, 0.0018658133003840375",
        "-1, 0.15865525393145707",
        "0.3, 0.6179114221889526",
        "1.96, 0.9750021048517795",
        "4, 0.9999683287581669"
    })
    void normalDistribution(double x, double below) {
        assertThat(StandardNormal.below(x)).isCloseTo(below, Percentage.withPercentage(1e-10));
        assertThat(StandardNormal.above(-x)).isCloseTo(below, Percentage.withPercentage(1e-10));
    }

    @ParameterizedTest
    @CsvSource({"1e-10, -6.361340902404056", "0.025, -1.9599639845400545", "0.3, -0.5244005127080409", "0.5, 0"})
    void normalQuantile(double share, double x) {
        assertThat(StandardNormal.quantile(share)).isCloseTo(x, within(1e-12));
        assertThat(StandardNormal.quantile(1 - share)).isCloseTo(-x, within(1e-6));
    }

    @Test
    void normalQuantileOfTheEnds() {
        assertThat(StandardNormal.quantile(0)).isEqualTo(Double.NEGATIVE_INFINITY);
        assertThat(StandardNormal.quantile(1)).isEqualTo(Double.POSITIVE_INFINITY);
        assertThat(StandardNormal.quantile(Double.NaN)).isNaN();
    }

    @Test
    void bootstrapEndsOfGivenDraws() {
        double[] means = {0.67375, 0.67375, 0.76375, 0.78, 0.79375, 0.81, 0.865, 0.8725, 0.8875};
        Interval wide = new Bootstrap(100, 0.95, 0, Bootstrap.Method.BCA).ends(means, DICE);
        assertThat(wide.low()).isCloseTo(0.67375, within(1e-12));
        assertThat(wide.high()).isCloseTo(0.868829611539498, within(1e-12));
        Interval half = new Bootstrap(100, 0.5, 0, Bootstrap.Method.BCA).ends(means, DICE);
        assertThat(half.low()).isCloseTo(0.67375, within(1e-12));
        assertThat(half.high()).isCloseTo(0.7853378650764014, within(1e-12));
        Interval plain = new Bootstrap(100, 0.5, 0, Bootstrap.Method.PERCENTILE).ends(means, DICE);
        assertThat(plain).isEqualTo(new Interval(0.76375, 0.865));
    }

    /** With 200,000 draws the ends move by less than a step between neighbouring means from seed to seed. */
    @ParameterizedTest
    @CsvSource({"BCA, 0.50625, 0.87875", "PERCENTILE, 0.59125, 0.8975"})
    void bootstrapOfTheMean(Bootstrap.Method method, double low, double high) {
        Interval interval = new Bootstrap(200_000, 0.95, 7, method).ofMean(DICE);
        assertThat(interval.low()).isCloseTo(low, within(0.003));
        assertThat(interval.high()).isCloseTo(high, within(0.003));
    }

    @ParameterizedTest
    @EnumSource(Bootstrap.Method.class)
    void bootstrapIsAFunctionOfTheSeed(Bootstrap.Method method) {
        Bootstrap bootstrap = new Bootstrap(500, 0.95, 3, method);
        assertThat(bootstrap.ofMean(DICE)).isEqualTo(bootstrap.ofMean(DICE));
        assertThat(bootstrap.ofMean(DICE)).isNotEqualTo(new Bootstrap(500, 0.95, 4, method).ofMean(DICE));
        double[] more = Arrays.copyOf(DICE, DICE.length + 2);
        more[DICE.length] = Double.NaN;
        more[DICE.length + 1] = Double.POSITIVE_INFINITY;
        assertThat(bootstrap.ofMean(more)).isEqualTo(bootstrap.ofMean(DICE));
        assertThat(bootstrap.ofMean(0.1, 0.1, 0.1)).isEqualTo(new Interval(0.1, 0.1));
        assertThat(bootstrap.ofMean(1)).isEqualTo(Interval.NONE);
    }

    /** At z = 1 / acceleration the moved share has a pole; beyond it the formula would come back from the wrong end. */
    @Test
    void bootstrapEndsStayAtTheEndsBeyondThePole() {
        double acceleration = 1 / StandardNormal.quantile(0.99);
        assertThat(Bootstrap.moved(0.98, 0, acceleration)).isBetween(0.999, 1.0);
        assertThat(Bootstrap.moved(0.9999, 0, acceleration)).isEqualTo(1);
        assertThat(Bootstrap.moved(0.0001, 0, -acceleration)).isZero();
    }

    /** 95 % intervals of 400 sets of 30 skewed values hold the true mean in about 95 % of them. */
    @Test
    void bootstrapCoversTheMean() {
        CounterRandom random = CounterRandom.of(11, "coverage");
        int covered = 0;
        for (int set = 0; set < 400; set++) {
            double[] values = new double[30];
            Arrays.setAll(values, i -> Math.pow(random.uniform(), 2));
            Interval interval = new Bootstrap(500, 0.95, set, Bootstrap.Method.BCA).ofMean(values);
            covered += interval.low() <= 1.0 / 3 && 1.0 / 3 <= interval.high() ? 1 : 0;
        }
        assertThat(covered / 400.0).isBetween(0.91, 0.98);
    }

    @Test
    void bootstrapRefusesWrongSettings() {
        assertThatThrownBy(() -> new Bootstrap(99, 0.95, 0, Bootstrap.Method.BCA))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("99 samples");
        for (double level : new double[] {0, 0.99991, 1, Double.NaN}) {
            assertThatThrownBy(() -> new Bootstrap(100, level, 0, Bootstrap.Method.BCA))
                    .isInstanceOf(ConfigException.class)
                    .hasMessageContaining("a level of " + level);
        }
    }

    @Test
    void signedRankIsExactForFewDifferences() {
        assertThat(PairedTests.signedRank(DIFFERENCES)).isCloseTo(0.037109375, within(1e-15));
        assertThat(PairedTests.signedRank(1, -1, 2, 2, -3, 4, 4, 0, 5, 6)).isCloseTo(0.06640625, within(1e-15));
        assertThat(PairedTests.signedRank(1)).isEqualTo(1);
        assertThat(PairedTests.signedRank(0, 0)).isEqualTo(1);
        assertThat(PairedTests.signedRank()).isNaN();
    }

    /** 0.9 - 0.8 and 0.8 - 0.7 are the same difference, although their last bits differ. */
    @Test
    void signedRankSharesRanksOfSizesThatDifferByRounding() {
        double[] rounded = {0.9 - 0.8, 0.7 - 0.8, 0.6 - 0.2, 0.7 - 0.5, 0.5 - 0.7, 0.9 - 0.8, (0.1 + 0.2) - 0.3};
        assertThat(rounded[0]).isNotEqualTo(-rounded[1]);
        assertThat(PairedTests.signedRank(rounded)).isEqualTo(PairedTests.signedRank(1, -1, 4, 2, -2, 1, 0));
    }

    @Test
    void signedRankOfManyDifferencesCorrectsForSharedRanks() {
        assertThat(PairedTests.signedRank(MANY)).isCloseTo(0.0393246482200441, within(1e-12));
    }

    @Test
    void exactAndApproximateSignedRankAgreeWhereTheyMeet() {
        double[] fifty = IntStream.range(0, 50)
                .mapToDouble(i -> i % 3 == 0 ? -i : i + 0.5)
                .toArray();
        double[] more = IntStream.range(0, 51)
                .mapToDouble(i -> i % 3 == 0 ? -i : i + 0.5)
                .toArray();
        assertThat(PairedTests.signedRank(fifty)).isCloseTo(PairedTests.signedRank(more), within(0.02));
    }

    @Test
    void signFlipIsExactForFewDifferences() {
        assertThat(PairedTests.signFlip(DIFFERENCES, 1, 0)).isCloseTo(0.044921875, within(1e-15));
        assertThat(PairedTests.signFlip(new double[] {0.1, 0.1, 0.1}, 1, 0)).isEqualTo(0.25);
        assertThat(PairedTests.signFlip(new double[] {0, 0}, 1, 0)).isEqualTo(1);
        assertThat(PairedTests.signFlip(new double[0], 1, 0)).isNaN();
    }

    @Test
    void signFlipOfManyDifferencesDrawsSigns() {
        double p = PairedTests.signFlip(MANY, 100_000, 5);
        assertThat(p).isCloseTo(0.0326, within(0.003)).isEqualTo(PairedTests.signFlip(MANY, 100_000, 5));
    }

    @Test
    void pValuesDoNotDependOnSignOrOrder() {
        double[] turned = new double[DIFFERENCES.length];
        Arrays.setAll(turned, i -> -DIFFERENCES[turned.length - 1 - i]);
        assertThat(PairedTests.signedRank(turned)).isEqualTo(PairedTests.signedRank(DIFFERENCES));
        assertThat(PairedTests.signFlip(turned, 1, 0)).isEqualTo(PairedTests.signFlip(DIFFERENCES, 1, 0));
    }

    @Test
    void holmStepsDown() {
        double nan = Double.NaN;
        assertThat(PairedTests.holm(0.01, 0.04, nan, 0.03, 0.005, 0.5))
                .usingComparatorWithPrecision(1e-15)
                .containsExactly(0.04, 0.09, nan, 0.09, 0.025, 0.5);
        assertThat(PairedTests.holm(0.9, 0.8)).containsExactly(1, 1);
    }
}
