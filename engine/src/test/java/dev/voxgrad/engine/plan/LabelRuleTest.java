package dev.voxgrad.engine.plan;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class LabelRuleTest {
    private static final LabelRule NESTED = new LabelRule(
            Outputs.SIGMOID,
            List.of(
                    new LabelRegion("whole", List.of(1, 2, 3), 2),
                    new LabelRegion("core", List.of(2, 3), 3),
                    new LabelRegion("rest", List.of(1), 1)));

    private static int label(float... logits) {
        return NESTED.label(logits, 0, 3);
    }

    @Test
    void laterRegionsOverwriteEarlierOnes() {
        assertThat(label(-1, -2, -3)).isZero();
        assertThat(label(9, -1, -1)).isEqualTo(2);
        assertThat(label(9, 1e-6f, -1)).isEqualTo(3);
        assertThat(label(-9, 1, -1)).isEqualTo(3); // a core outside of the whole is still written
        assertThat(label(9, 9, 0.1f)).isEqualTo(1);
    }

    @Test
    void oneHalfIsNotEnough() {
        assertThat(label(0, 0, 0)).isZero();
        assertThat(label(0, 1, 0)).isEqualTo(3);
    }

    @Test
    void aVoxelIsReadWhereItIs() {
        assertThat(NESTED.label(new float[] {1, 1, 1, -1, 1, -1}, 3, 3)).isEqualTo(3);
        assertThat(LabelRule.of(Outputs.SOFTMAX).label(new float[] {9, 1, 2, 2}, 1, 3))
                .isEqualTo(1);
        assertThat(LabelRule.of(Outputs.SIGMOID).label(new float[] {9, -1, 0, -2}, 1, 3))
                .isZero();
    }
}
