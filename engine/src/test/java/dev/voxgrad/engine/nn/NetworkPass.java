package dev.voxgrad.engine.nn;

import dev.voxgrad.engine.autograd.Gradients;
import dev.voxgrad.engine.autograd.Tape;
import dev.voxgrad.engine.tensor.Device;
import dev.voxgrad.engine.tensor.Scope;
import dev.voxgrad.engine.tensor.Shape;
import dev.voxgrad.engine.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.Arguments;

/**
 * A forward and a backward pass of a network.
 *
 * @param values all outputs and all gradients, that of the image included
 * @param peakBytes of the memory pool
 * @param liveBytes after the backward pass
 */
record NetworkPass(List<float[]> values, long peakBytes, long liveBytes) {
    private static final List<List<Integer>> KERNELS = List.of(List.of(3, 3, 3), List.of(3, 3, 3), List.of(1, 3, 3));
    private static final List<List<Integer>> STRIDES = List.of(List.of(1, 1, 1), List.of(2, 2, 2), List.of(1, 2, 2));
    private static final List<Integer> FEATURES = List.of(8, 17, 20);

    /** Networks of every kind of block, with odd numbers of channels, and inputs for them. */
    static Stream<Arguments> networks() {
        Shape even = new Shape(2, 6, 20, 24, 2);
        NetworkSpec dropout = Networks.basicUNet(3, 2, 1, List.of(8, 9, 12, 16, 18, 7), NetworkSpec.MISH, 0.1);
        return Stream.of(
                Arguments.of(Networks.plainUNet(2, 3, FEATURES, KERNELS, STRIDES, true), even),
                Arguments.of(Networks.residualEncoderUNet(2, 3, FEATURES, KERNELS, STRIDES, true), even),
                Arguments.of(Networks.residualUNet(2, 3, FEATURES, KERNELS, STRIDES, true), even),
                Arguments.of(dropout, new Shape(1, 17, 18, 35, 2)),
                Arguments.of(Networks.classicUNet2D(2, 5, List.of(6, 10, 20)), new Shape(2, 1, 28, 20, 2)));
    }

    /** On random values, with random upstream gradients. */
    static NetworkPass of(NetworkSpec spec, Shape input, int threads, boolean recompute) {
        try (Device device = Device.cpu(threads);
                Scope scope = device.scope()) {
            Module network = Networks.create(spec, scope);
            // Not the zero start of residual branches, which would leave their gradients at 0.
            network.parameters().initialize(Initializer.HE_LEAKY, 11);
            Tensor x = RandomNetworks.tensor(scope, input, 1);
            List<Tensor> leaves = new ArrayList<>(network.parameters().tensors());
            leaves.add(x);
            Tape tape = Tape.training(scope, leaves, 5);
            if (recompute) {
                tape.recomputing();
            }
            List<Tensor> outputs = network.forward(tape, x);
            List<Tensor> upstream = outputs.stream()
                    .map(y -> RandomNetworks.tensor(scope, y.shape(), 2))
                    .toList();
            List<float[]> values =
                    new ArrayList<>(outputs.stream().map(Tensor::toArray).toList());
            Gradients gradients = tape.backward(outputs, upstream);
            long live = device.describe().poolLiveBytes();
            leaves.forEach(leaf -> values.add(gradients.of(leaf).orElseThrow().toArray()));
            return new NetworkPass(values, device.describe().poolPeakBytes(), live);
        }
    }
}
