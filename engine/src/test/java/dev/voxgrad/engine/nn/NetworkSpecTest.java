package dev.voxgrad.engine.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.ShapeException;
import dev.voxgrad.engine.tensor.Shape;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NetworkSpecTest {
    /** nnU-Net's isotropic network: kernels 3, strides 2, features doubled up to a cap. */
    private static NetworkSpec isotropic(int dim, int stages, int cap, int in, int classes) {
        List<List<Integer>> strides = new ArrayList<>(Collections.nCopies(stages, Collections.nCopies(dim, 2)));
        strides.set(0, Collections.nCopies(dim, 1));
        return NetworkSpec.plainUNet(
                in,
                classes,
                features(stages, cap),
                Collections.nCopies(stages, Collections.nCopies(dim, 3)),
                strides,
                true);
    }

    private static List<Integer> features(int stages, int cap) {
        return IntStream.range(0, stages).mapToObj(s -> Math.min(cap, 32 << s)).toList();
    }

    @ParameterizedTest
    @CsvSource({
        "3, 6, 320, 1, 2, 31195594",
        "3, 6, 320, 4, 4, 31199796",
        "3, 5, 320, 1, 2, 16547592",
        "2, 8, 512, 1, 2, 46324558",
        "2, 7, 512, 1, 2, 33471820"
    })
    void parameterCountMatchesNnUNet(int dim, int stages, int cap, int in, int classes, long count) {
        assertThat(ParameterSpec.count(Networks.parameters(isotropic(dim, stages, cap, in, classes))))
                .isEqualTo(count);
    }

    @Test
    void parameterCountMatchesNnUNetForAnisotropicKernels() {
        List<List<Integer>> kernels = new ArrayList<>(Collections.nCopies(7, List.of(3, 3, 3)));
        kernels.set(0, List.of(1, 3, 3));
        kernels.set(1, List.of(1, 3, 3));
        List<Integer> plane = List.of(1, 2, 2);
        List<Integer> cube = List.of(2, 2, 2);
        NetworkSpec spec = NetworkSpec.plainUNet(
                1,
                2,
                features(7, 320),
                kernels,
                List.of(List.of(1, 1, 1), plane, plane, cube, cube, plane, plane),
                true);
        assertThat(ParameterSpec.count(Networks.parameters(spec))).isEqualTo(44_577_356);
        spec.requireInput(new Shape(2, 16, 320, 320, 1));
    }

    @Test
    void jsonRoundTripGivesAnEqualSpec() {
        NetworkSpec spec = isotropic(2, 4, 64, 3, 5);
        assertThat(NetworkSpec.fromJson(spec.toJson())).isEqualTo(spec);
    }

    @Test
    void unknownOrMissingKeyIsAnErrorThatNamesIt() {
        String json = isotropic(2, 3, 64, 3, 5).toJson();
        assertThatThrownBy(() -> NetworkSpec.fromJson(json.replaceFirst("\\{", "{\"groups\": 2,")))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("groups");
        assertThatThrownBy(() -> NetworkSpec.fromJson(json.replace("negativeSlope", "slope")))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("negativeSlope");
        assertThatThrownBy(() -> NetworkSpec.fromJson("{\"network\": \"PlainConvUNet\"}"))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("dim");
    }

    @Test
    void listsOfDifferentLengthsAreRefused() {
        assertThatThrownBy(() -> NetworkSpec.plainUNet(
                        1, 2, List.of(4, 8), List.of(List.of(3, 3)), List.of(List.of(1, 1), List.of(2, 2)), false))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("kernels has 1 stages");
        assertThatThrownBy(() ->
                        NetworkSpec.fromJson(isotropic(2, 3, 64, 3, 5).toJson().replace("\"dim\" : 2", "\"dim\" : 3")))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("kernels of stage 0");
    }

    @Test
    void unknownArchitectureIsRefused() {
        NetworkSpec spec =
                NetworkSpec.fromJson(isotropic(2, 3, 64, 3, 5).toJson().replace("PlainConvUNet", "VNet"));
        assertThatThrownBy(() -> Networks.parameters(spec))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("VNet");
    }

    @Test
    void inputThatDoesNotFitIsRefusedWithTheParameter() {
        NetworkSpec spec = isotropic(3, 4, 64, 2, 3);
        spec.requireInput(new Shape(1, 16, 8, 8, 2));
        assertThatThrownBy(() -> spec.requireInput(new Shape(1, 16, 16, 16, 1)))
                .isInstanceOf(ShapeException.class)
                .hasMessageContaining("inChannels is 2");
        assertThatThrownBy(() -> spec.requireInput(new Shape(1, 16, 12, 16, 2)))
                .isInstanceOf(ShapeException.class)
                .hasMessageContaining("strides [8,8,8]");
        assertThatThrownBy(() -> spec.requireInput(new Shape(1, 8, 8, 8, 2)))
                .isInstanceOf(ShapeException.class)
                .hasMessageContaining("single voxel");
        assertThatThrownBy(() -> isotropic(2, 3, 64, 2, 3).requireInput(new Shape(1, 4, 16, 16, 2)))
                .isInstanceOf(ShapeException.class)
                .hasMessageContaining("depth 4");
    }
}
