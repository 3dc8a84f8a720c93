package dev.voxgrad.engine.augment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.HashSet;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class CounterRandomTest {
    @Test
    void equalKeysGiveEqualNumbers() {
        CounterRandom a = CounterRandom.of(7, "patch", 1, 2, 3);
        CounterRandom b = CounterRandom.of(7, "patch", 1, 2, 3);
        b.fork(9).bits();
        for (int i = 0; i < 100; i++) {
            assertThat(a.bits()).isEqualTo(b.bits());
        }
    }

    @Test
    void keysThatDifferAnywhereGiveOtherNumbers() {
        Set<Long> first = new HashSet<>();
        for (long seed = 0; seed < 4; seed++) {
            for (String purpose : new String[] {"patch", "augment", "patcha"}) {
                for (int epoch = 0; epoch < 10; epoch++) {
                    for (int sample = 0; sample < 10; sample++) {
                        first.add(CounterRandom.of(seed, purpose, epoch, sample).bits());
                        first.add(CounterRandom.of(seed, purpose, sample, epoch, 0)
                                .bits());
                    }
                }
            }
        }
        assertThat(first).hasSize(4 * 3 * 10 * 10 * 2);
    }

    @Test
    void numbersHaveTheMomentsOfTheirDistribution() {
        CounterRandom random = CounterRandom.of(1, "moments");
        int n = 200_000;
        double[] uniform =
                IntStream.range(0, n).mapToDouble(i -> random.uniform()).toArray();
        double[] normal =
                IntStream.range(0, n).mapToDouble(i -> random.normal()).toArray();
        assertThat(mean(uniform)).isCloseTo(0.5, within(0.003));
        assertThat(variance(uniform)).isCloseTo(1 / 12.0, within(0.001));
        assertThat(mean(normal)).isCloseTo(0, within(0.01));
        assertThat(variance(normal)).isCloseTo(1, within(0.02));
        double correlation = 0;
        for (int i = 1; i < n; i++) {
            correlation += normal[i] * normal[i - 1] / n;
        }
        assertThat(correlation).isCloseTo(0, within(0.01));
    }

    @Test
    void integersCoverBothEndsEvenly() {
        CounterRandom random = CounterRandom.of(3, "integer");
        int[] count = new int[5];
        for (int i = 0; i < 50_000; i++) {
            count[random.integer(-2, 2) + 2]++;
        }
        assertThat(IntStream.of(count).boxed()).allSatisfy(c -> assertThat(c).isBetween(9_600, 10_400));
        assertThat(random.integer(4, 4)).isEqualTo(4);
    }

    private static double mean(double[] x) {
        return IntStream.range(0, x.length).mapToDouble(i -> x[i]).sum() / x.length;
    }

    private static double variance(double[] x) {
        double mean = mean(x);
        return IntStream.range(0, x.length)
                        .mapToDouble(i -> (x[i] - mean) * (x[i] - mean))
                        .sum()
                / x.length;
    }
}
