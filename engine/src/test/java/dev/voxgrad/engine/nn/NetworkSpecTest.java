package dev.voxgrad.engine.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.ShapeException;
import dev.voxgrad.engine.tensor.Shape;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class NetworkSpecTest {
    /** nnU-Net's isotropic network: kernels 3, strides 2, features doubled up to a cap. */
    private static NetworkSpec isotropic(int dim, int stages, int cap, int in, int classes) {
        return Networks.plainUNet(
                in,
                classes,
                Networks.doubled(32, stages, cap),
                Networks.cubes(dim, 3, stages),
                Networks.halvings(dim, stages),
                true);
    }

    @Test
    void jsonRoundTripGivesAnEqualSpecForEveryArchitecture() {
        SplittableRandom random = new SplittableRandom(17);
        for (String name : Networks.names()) {
            for (int i = 0; i < 20; i++) {
                NetworkSpec spec = RandomNetworks.spec(name, random);
                assertThat(NetworkSpec.fromJson(spec.toJson())).isEqualTo(spec);
                assertThat(spec.toJson().contains("activation"))
                        .isEqualTo(spec.activation().equals(NetworkSpec.MISH));
                assertThat(spec.toJson().contains("dropout")).isEqualTo(spec.dropout() != 0);
                assertThat(spec.toJson().contains("headFeatures")).isEqualTo(spec.headFeatures() != 0);
            }
        }
    }

    /** The text is part of every checkpoint: bytes of files from before there were other architectures. */
    @Test
    void jsonOfAPlainNetworkKeepsItsBytes() {
        assertThat(isotropic(2, 2, 64, 3, 5).toJson().replaceAll("\\R", "\n")).isEqualTo("""
                        {
                          "network" : "PlainConvUNet",
                          "dim" : 2,
                          "inChannels" : 3,
                          "classes" : 5,
                          "features" : [ 32, 64 ],
                          "kernels" : [ [ 3, 3 ], [ 3, 3 ] ],
                          "strides" : [ [ 1, 1 ], [ 2, 2 ] ],
                          "encoderConvs" : [ 2, 2 ],
                          "decoderConvs" : [ 2 ],
                          "deepSupervision" : true,
                          "negativeSlope" : 0.01,
                          "eps" : 1.0E-5
                        }""");
    }

    @Test
    void wrongValuesOfOptionalKeysAreRefused() {
        String json = isotropic(2, 3, 64, 3, 5).toJson();
        for (String wrong : List.of("\"activation\": \"gelu\"", "\"dropout\": 1.0", "\"headFeatures\": -1")) {
            String key = wrong.substring(1, wrong.indexOf('"', 1));
            assertThatThrownBy(() -> NetworkSpec.fromJson(json.replaceFirst("\\{", "{" + wrong + ",")))
                    .isInstanceOf(ConfigException.class)
                    .hasMessageContaining(key + " is");
        }
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
        assertThatThrownBy(() -> Networks.plainUNet(
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
                .hasMessageContaining("VNet")
                .hasMessageContaining("PlainConvUNet, ResidualEncoderUNet, ResidualUNet, BasicUNet");
        assertThatThrownBy(spec::initializer).isInstanceOf(ConfigException.class);
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
