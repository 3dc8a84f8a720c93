package dev.voxgrad.engine.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.ShapeException;
import dev.voxgrad.engine.autograd.Gradients;
import dev.voxgrad.engine.autograd.Tape;
import dev.voxgrad.engine.op.Triple;
import dev.voxgrad.engine.tensor.Device;
import dev.voxgrad.engine.tensor.Scope;
import dev.voxgrad.engine.tensor.Shape;
import dev.voxgrad.engine.tensor.Tensor;
import dev.voxgrad.golden.Devices;
import dev.voxgrad.golden.EachDevice;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** What holds for all architectures, on networks of random sizes. */
class NetworksTest {
    private static final int SPECS = 6;

    static List<String> names() {
        return Networks.names();
    }

    private static Tensor[] forward(Shape input, Scope scope, Tape tape, Module network) {
        return network.forward(tape, RandomNetworks.tensor(scope, input, 7)).toArray(Tensor[]::new);
    }

    @ParameterizedTest
    @MethodSource("names")
    void logitsAndGradientsAreFiniteAndHaveTheShapesOfTheirLevels(String name) throws Exception {
        SplittableRandom random = new SplittableRandom(name.hashCode());
        for (int i = 0; i < SPECS; i++) {
            NetworkSpec spec = RandomNetworks.spec(name, random);
            Shape input = RandomNetworks.input(spec, random);
            Devices.each(device -> check(spec, input, device));
        }
    }

    private static void check(NetworkSpec spec, Shape input, Device device) {
        try (Scope model = device.scope();
                Scope scope = device.scope()) {
            Module network = Networks.create(spec, model);
            network.parameters().initialize(spec.initializer(), 3);
            Tape tape = Tape.training(scope, network.parameters().tensors(), 1);
            Tensor[] outputs = forward(input, scope, tape, network);
            assertThat(outputs).as("%s", spec).hasSize(spec.deepSupervision() ? spec.stages() - 1 : 1);
            List<Tensor> upstream = new ArrayList<>();
            for (int level = 0; level < outputs.length; level++) {
                Triple r = spec.reduction(level);
                Shape grid = input.withGrid(input.d() / r.d(), input.h() / r.h(), input.w() / r.w());
                assertThat(outputs[level].shape()).as("%s", spec).isEqualTo(grid.withChannels(spec.classes()));
                assertFinite(outputs[level], spec);
                upstream.add(RandomNetworks.tensor(scope, outputs[level].shape(), 9));
            }
            Gradients gradients = tape.backward(List.of(outputs), upstream);
            network.parameters().byName().forEach((name, t) -> {
                boolean evaluated = spec.deepSupervision() || !isLowerHead(name, spec);
                assertThat(gradients.of(t).isPresent())
                        .as("%s of %s", name, spec)
                        .isEqualTo(evaluated);
                gradients.of(t).ifPresent(g -> assertFinite(g, spec));
            });
        }
    }

    private static boolean isLowerHead(String name, NetworkSpec spec) {
        int last = spec.stages() - 2;
        return name.matches("(decoder.seg_layers|seg_outputs)\\..*") && !name.contains("s." + last + ".");
    }

    private static void assertFinite(Tensor tensor, NetworkSpec spec) {
        for (float value : tensor.toArray()) {
            assertThat(Float.isFinite(value)).as("%s", spec).isTrue();
        }
    }

    /** An inference tape frees on the way; what is left is the input and the outputs, and the bits are those of a recording tape. */
    @ParameterizedTest
    @MethodSource("names")
    void inferenceLeavesNothingButItsOutputs(String name) throws Exception {
        SplittableRandom random = new SplittableRandom(name.hashCode() + 1);
        for (int i = 0; i < SPECS; i++) {
            NetworkSpec spec = RandomNetworks.spec(name, random);
            Shape input = RandomNetworks.input(spec, random);
            Devices.each(device -> {
                try (Scope model = device.scope();
                        Scope recorded = device.scope();
                        Scope scope = device.scope()) {
                    Module network = Networks.create(spec, model);
                    network.parameters().initialize(spec.initializer(), 3);
                    Tape tape = Tape.evaluation(recorded, network.parameters().tensors());
                    Tensor[] expected = forward(input, recorded, tape, network);
                    long before = device.describe().poolLiveBytes();
                    Tensor[] outputs = forward(input, scope, Tape.inference(scope), network);
                    long grown = device.describe().poolLiveBytes() - before;
                    scope.tensor(input);
                    Arrays.stream(outputs).forEach(y -> scope.tensor(y.shape()));
                    assertThat(device.describe().poolLiveBytes() - before)
                            .as("%s", spec)
                            .isEqualTo(2 * grown);
                    for (int k = 0; k < outputs.length; k++) {
                        assertThat(outputs[k].toArray()).as("%s", spec).isEqualTo(expected[k].toArray());
                    }
                }
            });
        }
    }

    private static NetworkSpec basic(double dropout) {
        return Networks.basicUNet(3, 1, 2, List.of(4, 4, 6, 8, 10, 4), NetworkSpec.MISH, dropout);
    }

    /** sum(logits * r) of a training pass with the weights moved by {@code step} along a direction. */
    private static double functional(Scope scope, NetworkSpec spec, long seed, double step) {
        Module network = Networks.create(spec, scope);
        network.parameters().initialize(spec.initializer(), 3);
        long i = 100;
        for (Tensor p : network.parameters().tensors()) {
            p.addScaled((float) step, RandomNetworks.tensor(scope, p.shape(), i++));
        }
        Tensor x = RandomNetworks.tensor(scope, new Shape(1, 32, 17, 18, 1), 7);
        Tensor y = network.forward(Tape.training(scope, network.parameters().tensors(), seed), x)
                .get(0);
        float[] values = y.toArray();
        float[] r = RandomNetworks.tensor(scope, y.shape(), 9).toArray();
        double sum = 0;
        for (int j = 0; j < r.length; j++) {
            sum += (double) values[j] * r[j];
        }
        return sum;
    }

    /** Backward repeats the forward pass's draws: its derivative is that of the pass with the same seed. */
    @EachDevice
    void gradientOfDroppedLayersMatchesDifference(String name) {
        NetworkSpec spec = basic(0.25);
        double exact = 0;
        try (Device device = Devices.open(name);
                Scope scope = device.scope()) {
            Module network = Networks.create(spec, scope);
            network.parameters().initialize(spec.initializer(), 3);
            Tape tape = Tape.training(scope, network.parameters().tensors(), 11);
            Tensor y = network.forward(tape, RandomNetworks.tensor(scope, new Shape(1, 32, 17, 18, 1), 7))
                    .get(0);
            Gradients gradients = tape.backward(List.of(y), List.of(RandomNetworks.tensor(scope, y.shape(), 9)));
            long i = 100;
            for (Tensor p : network.parameters().tensors()) {
                float[] direction = RandomNetworks.tensor(scope, p.shape(), i++).toArray();
                float[] gradient = gradients.of(p).orElseThrow().toArray();
                for (int j = 0; j < direction.length; j++) {
                    exact += (double) direction[j] * gradient[j];
                }
            }
        }
        double step = 1.0
                / 65536; // so small that few maxima of the pools move to another voxel; rounding is 5e-4 of the slope
        double[] sides = new double[2];
        for (int side = 0; side < 2; side++) {
            try (Device device = Devices.open(name);
                    Scope scope = device.scope()) {
                sides[side] = functional(scope, spec, 11, side == 0 ? step : -step);
            }
        }
        assertThat((sides[0] - sides[1]) / (2 * step)).isCloseTo(exact, within(2e-3 * Math.abs(exact)));
    }

    @EachDevice
    void dropoutDependsOnTheSeedAndIsOffOutsideTraining(String name) {
        try (Device device = Devices.open(name);
                Scope scope = device.scope()) {
            double one = functional(scope, basic(0.1), 1, 0);
            assertThat(functional(scope, basic(0.1), 1, 0)).isEqualTo(one);
            assertThat(functional(scope, basic(0.1), 2, 0)).isNotEqualTo(one);
            assertThat(functional(scope, basic(0), 1, 0)).isNotEqualTo(one);

            Module network = Networks.create(basic(0.1), scope);
            network.parameters().initialize(Initializer.PYTORCH_DEFAULT, 3);
            Tensor x = RandomNetworks.tensor(scope, new Shape(1, 32, 17, 18, 1), 7);
            Tape noSeed = Tape.training(scope, network.parameters().tensors());
            assertThatThrownBy(() -> network.forward(noSeed, x))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("seed");
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "PlainConvUNet       | dropout         | 0.1   | no dropout",
                "ResidualUNet        | headFeatures    | 4     | headFeatures is 4",
                "BasicUNet           | deepSupervision | true  | deepSupervision is true",
                "ClassicUNet2D       | deepSupervision | true  | deepSupervision is true",
                "ClassicUNet2D       | dim             | 3     | dim is 3",
                "GenericUNetV1       | kernel          | 5     | sizes 1 and 3"
            })
    void whatAnArchitectureDoesNotHaveIsRefused(String name, String key, String value, String message) {
        int dim = key.equals("dim") ? 3 : 2;
        int kernel = key.equals("kernel") ? 5 : 3;
        NetworkSpec spec = new NetworkSpec(
                name,
                dim,
                1,
                2,
                List.of(4, 8),
                Collections.nCopies(2, Collections.nCopies(dim, kernel)),
                List.of(Collections.nCopies(dim, 1), Collections.nCopies(dim, 2)),
                List.of(1, 1),
                List.of(1),
                key.equals("deepSupervision"),
                0,
                1e-5,
                NetworkSpec.LEAKY_RELU,
                key.equals("dropout") ? Double.parseDouble(value) : 0,
                key.equals("headFeatures") ? Integer.parseInt(value) : 0);
        assertThatThrownBy(() -> Networks.parameters(spec))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining(name)
                .hasMessageContaining(message);
        assertThatThrownBy(() -> spec.requireInput(new Shape(1, dim == 2 ? 1 : 8, 8, 8, 1)))
                .isInstanceOf(ConfigException.class);
    }

    @Test
    void sizesThatDoNotFitAreRefusedByTheirArchitecturesRules() {
        NetworkSpec basic = basic(0);
        basic.requireInput(new Shape(1, 16, 17, 33, 1));
        assertThatThrownBy(() -> basic.requireInput(new Shape(1, 16, 31, 16, 1)))
                .isInstanceOf(ShapeException.class)
                .hasMessageContaining("single voxel");
        assertThatThrownBy(() -> basic.requireInput(new Shape(1, 64, 15, 64, 1)))
                .isInstanceOf(ShapeException.class)
                .hasMessageContaining("smaller than the product of the strides [16,16,16]");
        NetworkSpec classic = Networks.classicUNet2D(1, 2, List.of(4, 8, 8));
        classic.requireInput(new Shape(1, 1, 4, 4, 1)); // a single voxel at the bottom, but no norm
        assertThatThrownBy(() -> classic.requireInput(new Shape(1, 1, 6, 8, 1)))
                .isInstanceOf(ShapeException.class)
                .hasMessageContaining("divisible");
        NetworkSpec residual = Networks.residualEncoderUNet(
                1,
                2,
                List.of(4, 8),
                List.of(List.of(3, 3), List.of(3, 3)),
                List.of(List.of(1, 1), List.of(1, 2)),
                true);
        residual.requireInput(new Shape(1, 1, 7, 8, 1));
        assertThatThrownBy(() -> residual.requireInput(new Shape(1, 1, 8, 7, 1)))
                .isInstanceOf(ShapeException.class)
                .hasMessageContaining("divisible");
        assertThatThrownBy(() -> Networks.basicUNet(3, 1, 1, List.of(4, 4, 4), NetworkSpec.MISH, 0))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("six numbers");
    }
}
