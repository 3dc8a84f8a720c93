package dev.voxgrad.engine.infer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.voxgrad.engine.DataException;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Uncertainty maps; the golden case of the losses holds more values of one channel. */
class UncertaintyTest {
    @Test
    void oneChannelIsTheForeground() {
        float[] p = {0, 0.5f, 1};
        assertThat(Uncertainty.COMPLEMENT.of(p, 1)).containsExactly(1, 0.5f, 0);
        assertThat(Uncertainty.MARGIN.of(p, 1)).containsExactly(0, 1, 0);
        assertThat(Uncertainty.ENTROPY.of(p, 1)).containsExactly(new float[] {0, 1, 0}, within(1e-6f));
    }

    @Test
    void severalClassesAreSeenThroughTheLargestOfTheForeground() {
        float[] p = {0.5f, 0.375f, 0.125f, 1, 0, 0, 0, 0, 1};
        assertThat(Uncertainty.COMPLEMENT.of(p, 3)).containsExactly(0.625f, 1, 0);
        assertThat(Uncertainty.MARGIN.of(p, 3)).containsExactly(0.75f, 0, 0);
        float third = 1 / 3f;
        float[] equal = {third, third, third, 0.5f, 0.5f, 0};
        assertThat(Uncertainty.ENTROPY.of(equal, 3))
                .containsExactly(new float[] {1, (float) (Math.log(2) / Math.log(3))}, within(1e-6f));
    }

    @Test
    void twoClassesHaveTheEntropyOfTheirForeground() {
        assertThat(Uncertainty.ENTROPY.of(new float[] {0.7f, 0.3f}, 2)[0])
                .isCloseTo(Uncertainty.ENTROPY.of(new float[] {0.3f}, 1)[0], within(1e-6f));
    }

    @ParameterizedTest
    @EnumSource
    void roundingOfAnAverageStaysInside(Uncertainty mode) {
        float[] p = new float[200_000]; // more than one block of voxels
        Arrays.fill(p, 1 + 1e-6f);
        Arrays.fill(p, 0, 100_000, -1e-6f);
        for (float value : mode.of(p, 1)) {
            assertThat(value).isBetween(0f, 1f);
        }
    }

    @ParameterizedTest
    @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY, 1.5f, -0.5f})
    void whatIsNoProbabilityFails(float value) {
        for (Uncertainty mode : Uncertainty.values()) {
            assertThatThrownBy(() -> mode.of(new float[] {0.5f, value, 0.5f, 0.5f}, 2))
                    .isInstanceOf(DataException.class)
                    .hasMessageContaining("voxel 0");
        }
        assertThatThrownBy(() -> Uncertainty.MARGIN.of(new float[3], 2)).isInstanceOf(IllegalArgumentException.class);
    }
}
