package dev.voxgrad.losses;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.voxgrad.engine.ConfigException;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Class weights from label maps; the golden cases hold larger ones. */
class LabelCountsTest {
    private static final byte IGNORED = (byte) 255;

    @Test
    void countsImagesByWhatTheyContain() {
        LabelCounts counts = LabelCounts.of(List.of(new byte[] {0, 0, 1, IGNORED}, new byte[] {0, 0}), 3);
        assertThat(counts).isEqualTo(new LabelCounts(List.of(4L, 1L, 0L), List.of(5L, 3L, 0L)));
    }

    @Test
    void medianFrequencyIsTheMedianByTheFrequency() {
        LabelCounts counts = new LabelCounts(List.of(80L, 20L, 5L, 0L), List.of(100L, 100L, 50L, 0L));
        assertThat(counts.medianFrequencyWeights()).containsExactly(0.2 / 0.8, 1.0, 0.2 / 0.1, 0.0);
        LabelCounts even = new LabelCounts(List.of(80L, 20L), List.of(100L, 100L));
        assertThat(even.medianFrequencyWeights()).containsExactly(0.5 / 0.8, 0.5 / 0.2);
    }

    @Test
    void equalCountsWeigh1() {
        assertThat(LabelCounts.equal(4).medianFrequencyWeights()).containsOnly(1.0);
        assertThat(LabelCounts.equal(4).inverseFrequencyWeights()).containsOnly(1.0);
    }

    @Test
    void labelsWithoutAnyClassGiveNoWeights() {
        LabelCounts none = LabelCounts.of(List.of(new byte[] {IGNORED}), 2);
        assertThatThrownBy(() -> ClassWeights.of(ClassWeights.Rule.MEDIAN_FREQUENCY, none))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("none of the classes");
    }
}
