package dev.voxgrad.engine.nn;

import static org.assertj.core.api.Assertions.assertThat;

import dev.voxgrad.engine.tensor.Shape;
import java.util.Arrays;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Feature maps that are computed again give the bits of those that were kept, and need less memory. */
class RecomputeTest {
    @ParameterizedTest
    @MethodSource("dev.voxgrad.engine.nn.NetworkPass#networks")
    void gradientsHaveTheSameBits(NetworkSpec spec, Shape input) {
        NetworkPass kept = NetworkPass.of(spec, input, 2, false);
        NetworkPass again = NetworkPass.of(spec, input, 2, true);
        for (int i = 0; i < kept.values().size(); i++) {
            int worst = Arrays.mismatch(kept.values().get(i), again.values().get(i));
            assertThat(worst)
                    .as(
                            "first different element of tensor %d of %d",
                            i, kept.values().size())
                    .isEqualTo(-1);
        }
        assertThat(again.peakBytes()).isLessThan(kept.peakBytes());
        assertThat(again.liveBytes()).as("left after the backward pass").isLessThanOrEqualTo(kept.liveBytes());
    }
}
