package dev.voxgrad.engine.nn;

import static org.assertj.core.api.Assertions.assertThat;

import dev.voxgrad.engine.tensor.Shape;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The number of CPU threads never changes a bit of a forward and backward pass. */
class ThreadCountTest {
    @ParameterizedTest
    @MethodSource("dev.voxgrad.engine.nn.NetworkPass#networks")
    void bytesAreEqualForEveryNumberOfThreads(NetworkSpec spec, Shape input) {
        List<float[]> one = NetworkPass.of(spec, input, 1, false).values();
        for (int threads : new int[] {2, 3, 7}) {
            assertThat(NetworkPass.of(spec, input, threads, false).values())
                    .as(threads + " threads")
                    .usingRecursiveComparison()
                    .isEqualTo(one);
        }
    }
}
