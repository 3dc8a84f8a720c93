package dev.voxgrad.engine.op;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.voxgrad.engine.ShapeException;
import dev.voxgrad.engine.autograd.Gradients;
import dev.voxgrad.engine.autograd.Tape;
import dev.voxgrad.engine.tensor.Scope;
import dev.voxgrad.engine.tensor.Shape;
import dev.voxgrad.engine.tensor.Tensor;
import dev.voxgrad.golden.Devices;
import dev.voxgrad.golden.EachDevice;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;

/** Ops that write into the channels of a wider buffer give the same bits as on their own, and leave the other channels alone. */
class SliceOutputTest {
    private static final Shape IMAGE = new Shape(2, 3, 4, 5, 3);

    private interface Run {
        Tensor apply(Tape tape, Tensor x, Optional<Tensor> into);
    }

    private static Tensor random(Scope scope, Shape shape, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        float[] values = new float[(int) shape.elements()];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return scope.tensor(shape, values);
    }

    private static void check(String device, Run run) {
        try (var d = Devices.open(device);
                Scope scope = d.scope()) {
            Tensor x = random(scope, IMAGE, 1);
            Tape alone = Tape.training(scope, List.of(x));
            Tensor expected = run.apply(alone, x, Optional.empty());
            Tensor buffer = random(scope, expected.shape().withChannels(8), 2);
            float[] before = buffer.slice(5, 3).toArray();
            Tape tape = Tape.training(scope, List.of(x));
            Tensor y = run.apply(tape, x, Optional.of(buffer.slice(2, 3)));
            assertThat(y.toArray()).isEqualTo(expected.toArray());
            assertThat(buffer.slice(2, 3).toArray()).isEqualTo(expected.toArray());
            assertThat(buffer.slice(5, 3).toArray()).isEqualTo(before);

            Tensor upstream = random(scope, buffer.shape(), 3);
            Tensor same = upstream.slice(2, 3).copy(scope); // backward consumes the other
            Gradients wide = tape.backward(List.of(y), List.of(upstream.slice(2, 3)));
            Gradients dense = alone.backward(List.of(expected), List.of(same));
            assertThat(wide.of(x).orElseThrow().toArray())
                    .isEqualTo(dense.of(x).orElseThrow().toArray());

            assertThatThrownBy(() -> run.apply(Tape.inference(scope), x, Optional.of(buffer.slice(0, 2))))
                    .isInstanceOf(ShapeException.class)
                    .hasMessageContaining("does not fit into");
        }
    }

    @EachDevice
    void activation(String device) {
        check(device, (tape, x, into) -> Activation.apply(tape, x, Activation.Function.RELU, into));
    }

    @EachDevice
    void pad(String device) {
        check(device, (tape, x, into) -> Pad.apply(tape, x, new Triple(1, 0, 1), Pad.Mode.REPLICATE, into));
    }

    /** The sum takes the first tensor's memory; both get the gradient. */
    @EachDevice
    void sumInPlace(String device) {
        try (var d = Devices.open(device);
                Scope scope = d.scope()) {
            Tensor x = random(scope, IMAGE, 1);
            Tensor b = random(scope, IMAGE.withChannels(6), 2).slice(1, 3);
            Tape tape = Tape.training(scope, List.of(x, b));
            float[] expected = Add.apply(tape, x, b).toArray();
            Tensor a = Activation.apply(tape, x, Activation.Function.IDENTITY);
            Tensor sum = Add.inPlace(tape, a, b);
            assertThat(sum.identity()).isSameAs(a.identity());
            assertThat(sum.toArray()).isEqualTo(expected);
            Tensor upstream = random(scope, IMAGE, 3);
            float[] dy = upstream.toArray();
            Gradients gradients = tape.backward(List.of(sum), List.of(upstream));
            assertThat(gradients.of(x).orElseThrow().toArray()).isEqualTo(dy);
            assertThat(gradients.of(b).orElseThrow().toArray()).isEqualTo(dy);
        }
    }
}
