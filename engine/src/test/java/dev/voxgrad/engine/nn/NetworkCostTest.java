package dev.voxgrad.engine.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import dev.voxgrad.engine.ShapeException;
import dev.voxgrad.engine.tensor.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Parameters and multiply-adds of published networks: numbers of their original code. */
class NetworkCostTest {
    private static final Shape CUBE = new Shape(1, 128, 128, 128, 1);

    private static NetworkSpec plain(int dim, int stages, int in, int classes) {
        List<Integer> features = Networks.doubled(32, stages, dim == 3 ? 320 : 512);
        return Networks.plainUNet(
                in, classes, features, Networks.cubes(dim, 3, stages), Networks.halvings(dim, stages), true);
    }

    private static NetworkSpec anisotropic() {
        List<List<Integer>> kernels = new ArrayList<>(Networks.cubes(3, 3, 7));
        kernels.set(0, List.of(1, 3, 3));
        kernels.set(1, List.of(1, 3, 3));
        List<Integer> plane = List.of(1, 2, 2);
        List<Integer> cube = List.of(2, 2, 2);
        return Networks.plainUNet(
                1,
                2,
                Networks.doubled(32, 7, 320),
                kernels,
                List.of(List.of(1, 1, 1), plane, plane, cube, cube, plane, plane),
                true);
    }

    private static NetworkSpec v1(int poolings, int limit) {
        int stages = poolings + 1;
        return Networks.genericUNetV1(
                1,
                2,
                Networks.doubled(32, stages, limit),
                Networks.cubes(3, 3, stages),
                Networks.halvings(3, stages),
                true);
    }

    private static NetworkSpec basic(int in, int classes) {
        return Networks.basicUNet(3, in, classes, List.of(32, 32, 64, 128, 256, 32), NetworkSpec.MISH, 0.1);
    }

    static Stream<Arguments> networks() {
        NetworkSpec residual3d = Networks.residualEncoderUNet(
                1, 2, Networks.doubled(32, 6, 320), Networks.cubes(3, 3, 6), Networks.halvings(3, 6), true);
        NetworkSpec residual2d = Networks.residualUNet(
                5, 2, Networks.doubled(32, 5, 512), Networks.cubes(2, 3, 5), Networks.halvings(2, 5), false);
        NetworkSpec classic = Networks.classicUNet2D(1, 28, Networks.doubled(64, 5, 1024));
        return Stream.of(
                Arguments.of(plain(3, 6, 1, 2), CUBE, 31_195_594L, "477.28"),
                Arguments.of(plain(3, 6, 4, 4), CUBE.withChannels(4), 31_199_796L, "482.89"),
                Arguments.of(plain(3, 5, 1, 2), CUBE, 16_547_592L, "472.62"),
                Arguments.of(anisotropic(), new Shape(1, 16, 320, 320, 1), 44_577_356L, "473.41"),
                Arguments.of(plain(2, 8, 1, 2), new Shape(1, 1, 512, 512, 1), 46_324_558L, "59.61"),
                Arguments.of(plain(2, 7, 1, 2), new Shape(1, 1, 256, 256, 1), 33_471_820L, "14.77"),
                Arguments.of(residual3d, CUBE, 102_349_770L, "717.45"),
                Arguments.of(residual2d, new Shape(1, 1, 256, 256, 5), 14_419_112L, "19.43"),
                Arguments.of(classic, new Shape(1, 1, 256, 256, 1), 31_032_348L, "48.21"),
                Arguments.of(basic(3, 1), new Shape(1, 192, 192, 32, 3), 5_751_105L, "170.20"),
                Arguments.of(basic(1, 2), CUBE, 5_749_410L, "299.02"),
                Arguments.of(v1(5, 320), CUBE, 31_194_784L, "477.28"),
                Arguments.of(v1(4, 320), CUBE, 16_547_104L, "472.62"),
                Arguments.of(v1(5, 360), CUBE, 36_177_984L, "479.07"));
    }

    @ParameterizedTest
    @MethodSource("networks")
    void countsAreThoseOfTheOriginals(NetworkSpec spec, Shape input, long parameters, String gmac) {
        NetworkCost cost = NetworkCost.of(spec, input);
        assertThat(cost.parameters()).isEqualTo(parameters);
        assertThat(String.format(Locale.ROOT, "%.2f", cost.forwardMacs() / 1e9)).isEqualTo(gmac);
    }

    @Test
    void everythingIsCountedOnce() {
        SplittableRandom random = new SplittableRandom(3);
        for (String name : Networks.names()) {
            for (int i = 0; i < 5; i++) {
                NetworkSpec spec = RandomNetworks.spec(name, random);
                Shape input = RandomNetworks.input(spec, random);
                NetworkCost cost = NetworkCost.of(spec, input);
                assertThat(cost.parameters()).isEqualTo(ParameterSpec.count(Networks.parameters(spec)));
                Shape twice = new Shape(2 * input.n(), input.d(), input.h(), input.w(), input.c());
                assertThat(NetworkCost.of(spec, twice).forwardMacs()).isEqualTo(2 * cost.forwardMacs());
                assertThat(cost.stages()).hasSize(2 * spec.stages() - 1);
            }
        }
    }

    /** Two stages of one convolution each, by hand. */
    @Test
    void trainingStepIsThreeForwardPassesWithoutTheGradientOfTheImage() {
        NetworkSpec spec = new NetworkSpec(
                "PlainConvUNet",
                2,
                3,
                5,
                List.of(4, 8),
                Networks.cubes(2, 3, 2),
                Networks.halvings(2, 2),
                List.of(1, 1),
                List.of(1),
                true,
                0.01,
                1e-5,
                NetworkSpec.LEAKY_RELU,
                0,
                0);
        NetworkCost cost = NetworkCost.of(spec, new Shape(2, 1, 8, 6, 3));
        long first = 2 * 48 * 4 * 3 * 9;
        long down = 2 * 12 * 8 * 4 * 9;
        long up = 2 * 12 * 8 * 4 * 4;
        long conv = 2 * 48 * 4 * 8 * 9;
        long head = 2 * 48 * 5 * 4;
        assertThat(cost.stages())
                .extracting(NetworkCost.Stage::name, NetworkCost.Stage::macs)
                .containsExactly(
                        tuple("encoder 0", first), tuple("encoder 1", down), tuple("decoder 0", up + conv + head));
        assertThat(cost.stages().get(1).output()).isEqualTo(new Shape(2, 1, 4, 3, 8));
        assertThat(cost.stages().get(1).parameters()).isEqualTo(8 * 4 * 9 + 8 + 16);
        assertThat(cost.trainingMacs()).isEqualTo(3 * (first + down + up + conv + head) - first);
        assertThat(cost.trainingFlops()).isEqualTo(2 * cost.trainingMacs());
    }

    @Test
    void headsThatAreNotEvaluatedHaveParametersOnly() {
        NetworkSpec spec = plain(3, 3, 1, 2);
        NetworkCost deep = NetworkCost.of(spec, CUBE);
        NetworkCost single = NetworkCost.of(spec.withoutDeepSupervision(), CUBE);
        assertThat(single.parameters()).isEqualTo(deep.parameters());
        assertThat(deep.forwardMacs() - single.forwardMacs()).isEqualTo(64L * 64 * 64 * 64 * 2);
    }

    @Test
    void aNetworkThatCannotTakeTheInputHasNoCost() {
        assertThatThrownBy(() -> NetworkCost.of(plain(3, 6, 1, 2), new Shape(1, 100, 128, 128, 1)))
                .isInstanceOf(ShapeException.class)
                .hasMessageContaining("divisible");
    }
}
