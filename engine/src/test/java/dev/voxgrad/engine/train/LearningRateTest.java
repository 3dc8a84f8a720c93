package dev.voxgrad.engine.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.optim.Ranger21;
import dev.voxgrad.engine.plan.Optimization;
import dev.voxgrad.engine.plan.Training;
import java.util.List;
import org.junit.jupiter.api.Test;

/** From the words of a plan to the rate of each step; the formulas themselves are proven by golden data. */
class LearningRateTest {
    private static final double LR = 0.01;

    /** Ten epochs of four steps. */
    private static LearningRate rate(String schedule, int warmUpEpochs, Optimization options) {
        return LearningRate.of(Training.standard().with(t -> {
            t.learningRate = LR;
            t.schedule = schedule;
            t.warmUpEpochs = warmUpEpochs;
            t.epochs = 10;
            t.iterationsPerEpoch = 4;
            t.optimization = options;
        }));
    }

    private static Optimization options(boolean perStep, int warmUpSteps, List<Integer> milestones, boolean automatic) {
        return new Optimization(
                true,
                0,
                0.9,
                0.999,
                1e-8,
                false,
                Ranger21.Components.DEFAULT,
                perStep,
                warmUpSteps,
                0.9,
                0,
                milestones,
                0.1,
                automatic,
                0.72,
                3e-5,
                0);
    }

    private static Optimization byStep(int warmUpSteps) {
        return options(true, warmUpSteps, List.of(), true);
    }

    @Test
    void polyIsConstantWithinAnEpoch() {
        LearningRate rate = rate("poly", 0, Optimization.standard());
        for (int i = 0; i < 4; i++) {
            assertThat(rate.at(0, i)).isEqualTo(LR);
            assertThat(rate.at(9, i)).isCloseTo(LR * Math.pow(0.1, 0.9), within(1e-15));
        }
    }

    @Test
    void byStepItFallsInEveryStep() {
        LearningRate rate = rate("poly", 0, byStep(0));
        assertThat(rate.at(0, 0)).isEqualTo(LR);
        assertThat(rate.at(2, 3)).isCloseTo(LR * Math.pow(1 - 11.0 / 40, 0.9), within(1e-15));
    }

    @Test
    void warmUpRisesByEpochOrByStep() {
        LearningRate byEpoch = rate("constant", 4, Optimization.standard());
        assertThat(byEpoch.at(0, 3)).isEqualTo(LR / 4);
        assertThat(byEpoch.at(2, 0)).isCloseTo(LR * 3 / 4, within(1e-15));
        assertThat(byEpoch.at(4, 0)).isEqualTo(LR);
        LearningRate interpolated = rate("constant", 2, byStep(0));
        assertThat(interpolated.at(0, 0)).isCloseTo(LR / 8, within(1e-15));
        assertThat(interpolated.at(1, 2)).isCloseTo(LR * 7 / 8, within(1e-15));
        LearningRate steps = rate("cosine", 0, options(false, 5, List.of(), true));
        assertThat(steps.at(0, 1)).isCloseTo(LR * 2 / 5, within(1e-15));
        assertThat(steps.at(1, 1)).isEqualTo(LR);
        assertThat(steps.at(9, 3)).isCloseTo(LR * (1 + Math.cos(Math.PI * 34 / 35)) / 2, within(1e-15));
        assertThatThrownBy(() -> rate("poly", 0, byStep(40)))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("warmUpSteps is 40; use fewer than the 40 steps of the training");
    }

    @Test
    void milestonesCountFromTheStartAlsoAfterAWarmUpAndByStep() {
        List<Integer> milestones = List.of(3, 6);
        for (LearningRate rate : List.of(
                rate("step", 0, options(false, 0, milestones, true)),
                rate("step", 2, options(false, 0, milestones, true)),
                rate("step", 2, options(true, 0, milestones, true)),
                rate("step", 0, options(false, 7, milestones, true)))) {
            assertThat(rate.at(2, 3)).isCloseTo(LR, within(1e-17));
            assertThat(rate.at(3, 0)).isCloseTo(LR / 10, within(1e-17));
            assertThat(rate.at(5, 3)).isCloseTo(LR / 10, within(1e-17));
            assertThat(rate.at(6, 0)).isCloseTo(LR / 100, within(1e-17));
        }
    }

    @Test
    void warmUpDownGetsTheLengthOfTheWholeTraining() {
        LearningRate rate = rate("warm-up-down", 0, Optimization.standard());
        int automatic = 8; // 22 % of 40 steps, because 2000 are too many
        assertThat(rate.at(0, 0)).isCloseTo(LR / automatic, within(1e-15));
        assertThat(rate.at(1, 3)).isEqualTo(LR);
        assertThat(rate.at(9, 3)).isCloseTo(3e-5, within(1e-15));
        assertThat(rate("warm-up-down", 1, Optimization.standard()).at(0, 1)).isEqualTo(LR / 2);
        assertThat(rate("warm-up-down", 0, options(false, 0, List.of(), false)).at(0, 0))
                .isEqualTo(LR);
    }
}
