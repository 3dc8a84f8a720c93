package dev.voxgrad.engine.nn;

import static org.assertj.core.api.Assertions.assertThat;

import dev.voxgrad.engine.autograd.Gradients;
import dev.voxgrad.engine.autograd.Tape;
import dev.voxgrad.engine.tensor.Device;
import dev.voxgrad.engine.tensor.Scope;
import dev.voxgrad.engine.tensor.Shape;
import dev.voxgrad.engine.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The number of CPU threads never changes a bit of a forward and backward pass. */
class ThreadCountTest {
    private static final List<List<Integer>> KERNELS = List.of(List.of(3, 3, 3), List.of(3, 3, 3), List.of(1, 3, 3));
    private static final List<List<Integer>> STRIDES = List.of(List.of(1, 1, 1), List.of(2, 2, 2), List.of(1, 2, 2));
    private static final List<Integer> FEATURES = List.of(8, 17, 20);

    static Stream<Arguments> networks() {
        Shape even = new Shape(2, 6, 20, 24, 2);
        NetworkSpec basic = Networks.basicUNet(3, 2, 1, List.of(8, 9, 12, 16, 18, 7), NetworkSpec.MISH, 0.1);
        return Stream.of(
                Arguments.of(NetworkSpec.plainUNet(2, 3, FEATURES, KERNELS, STRIDES, true), even),
                Arguments.of(Networks.residualEncoderUNet(2, 3, FEATURES, KERNELS, STRIDES, true), even),
                Arguments.of(Networks.residualUNet(2, 3, FEATURES, KERNELS, STRIDES, true), even),
                Arguments.of(basic, new Shape(1, 17, 18, 35, 2)),
                Arguments.of(Networks.classicUNet2D(2, 5, List.of(6, 10, 20)), new Shape(2, 1, 28, 20, 2)));
    }

    @ParameterizedTest
    @MethodSource("networks")
    void bytesAreEqualForEveryNumberOfThreads(NetworkSpec spec, Shape input) {
        List<float[]> one = pass(spec, input, 1);
        for (int threads : new int[] {2, 3, 7}) {
            assertThat(pass(spec, input, threads))
                    .as(threads + " threads")
                    .usingRecursiveComparison()
                    .isEqualTo(one);
        }
    }

    /** All outputs and all gradients. */
    private static List<float[]> pass(NetworkSpec spec, Shape input, int threads) {
        try (Device device = Device.cpu(threads);
                Scope scope = device.scope()) {
            Module network = Networks.create(spec, scope);
            // Not the zero start of residual branches, which would leave their gradients at 0.
            network.parameters().initialize(Initializer.HE_LEAKY, 11);
            Tensor x = RandomNetworks.tensor(scope, input, 1);
            List<Tensor> leaves = new ArrayList<>(network.parameters().tensors());
            leaves.add(x);
            Tape tape = Tape.training(scope, leaves, 5);
            List<Tensor> outputs = network.forward(tape, x);
            List<Tensor> upstream = outputs.stream()
                    .map(y -> RandomNetworks.tensor(scope, y.shape(), 2))
                    .toList();
            List<float[]> results =
                    new ArrayList<>(outputs.stream().map(Tensor::toArray).toList());
            Gradients gradients = tape.backward(outputs, upstream);
            leaves.forEach(leaf -> results.add(gradients.of(leaf).orElseThrow().toArray()));
            return results;
        }
    }
}
