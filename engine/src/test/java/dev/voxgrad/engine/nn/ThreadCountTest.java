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
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** The number of CPU threads never changes a bit of a forward and backward pass. */
class ThreadCountTest {
    private static final NetworkSpec SPEC = NetworkSpec.plainUNet(
            2,
            3,
            List.of(8, 17, 20),
            List.of(List.of(3, 3, 3), List.of(3, 3, 3), List.of(1, 3, 3)),
            List.of(List.of(1, 1, 1), List.of(2, 2, 2), List.of(1, 2, 2)),
            true);

    @Test
    void bytesAreEqualForEveryNumberOfThreads() {
        List<float[]> one = pass(1);
        for (int threads : new int[] {2, 3, 7}) {
            assertThat(pass(threads))
                    .as(threads + " threads")
                    .usingRecursiveComparison()
                    .isEqualTo(one);
        }
    }

    /** All outputs and all gradients. */
    private static List<float[]> pass(int threads) {
        try (Device device = Device.cpu(threads);
                Scope scope = device.scope()) {
            Module network = Networks.create(SPEC, scope);
            network.parameters().initialize(Initializer.HE_LEAKY, 11);
            Tensor x = random(scope, new Shape(2, 6, 20, 24, 2), 1);
            List<Tensor> leaves = new ArrayList<>(network.parameters().tensors());
            leaves.add(x);
            Tape tape = Tape.training(scope, leaves);
            List<Tensor> outputs = network.forward(tape, x);
            List<Tensor> upstream =
                    outputs.stream().map(y -> random(scope, y.shape(), 2)).toList();
            List<float[]> results =
                    new ArrayList<>(outputs.stream().map(Tensor::toArray).toList());
            Gradients gradients = tape.backward(outputs, upstream);
            leaves.forEach(leaf -> results.add(gradients.of(leaf).orElseThrow().toArray()));
            return results;
        }
    }

    private static Tensor random(Scope scope, Shape shape, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        float[] values = new float[(int) shape.elements()];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return scope.tensor(shape, values);
    }
}
