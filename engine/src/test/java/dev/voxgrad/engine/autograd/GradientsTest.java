package dev.voxgrad.engine.autograd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.voxgrad.engine.op.Activation;
import dev.voxgrad.engine.op.Add;
import dev.voxgrad.engine.op.Concat;
import dev.voxgrad.engine.op.Sum;
import dev.voxgrad.engine.tensor.Scope;
import dev.voxgrad.engine.tensor.Shape;
import dev.voxgrad.engine.tensor.Tensor;
import dev.voxgrad.golden.Devices;
import dev.voxgrad.golden.EachDevice;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;

/** How gradients of tensors with several users add up, and who owns them. */
class GradientsTest {
    private static final Shape SHAPE = new Shape(1, 1, 1, 2, 2);

    @EachDevice
    void residualUseAddsBothGradients(String device) {
        try (var d = Devices.open(device);
                Scope scope = d.scope()) {
            Tensor x = scope.tensor(SHAPE, new float[] {-1, 2, -3, 4});
            Tape tape = Tape.training(scope, List.of(x));
            Tensor inner = Activation.apply(tape, x, Activation.Function.leakyRelu(0.5f));
            Tensor y = Add.apply(tape, Activation.apply(tape, inner, Activation.Function.RELU), inner);
            Gradients g = tape.backward(List.of(y), List.of(scope.tensor(SHAPE, new float[] {1, 10, 100, 1000})));
            // negative: only the direct path, slope 0.5; positive: both paths
            assertThat(g.of(x).orElseThrow().toArray()).containsExactly(0.5f, 20, 50, 2000);
        }
    }

    @EachDevice
    void sameTensorTwiceGetsTwiceTheGradient(String device) {
        try (var d = Devices.open(device);
                Scope scope = d.scope()) {
            Tensor x = scope.tensor(SHAPE, new float[] {1, 2, 3, 4});
            Tape tape = Tape.training(scope, List.of(x));
            Tensor y = Add.apply(tape, x, x);
            assertThat(y.toArray()).containsExactly(2, 4, 6, 8);
            Gradients g = tape.backward(List.of(y), List.of(scope.tensor(SHAPE, new float[] {1, 2, 3, 4})));
            assertThat(g.of(x).orElseThrow().toArray()).containsExactly(2, 4, 6, 8);
        }
    }

    @EachDevice
    void slicesOfOneBufferGetTheirPartsOfItsGradient(String device) {
        try (var d = Devices.open(device);
                Scope scope = d.scope()) {
            Tensor buffer = scope.tensor(new Shape(1, 1, 1, 2, 3));
            Tensor a = buffer.slice(0, 1);
            Tensor b = buffer.slice(1, 2);
            a.fill(1);
            b.fill(-1);
            Tape tape = Tape.training(scope, List.of(a, b));
            Tensor joined = Concat.of(tape, buffer, a, b);
            Tensor direct = Activation.apply(tape, b, Activation.Function.leakyRelu(0.5f));
            Gradients g = tape.backward(
                    List.of(joined, direct),
                    List.of(
                            scope.tensor(buffer.shape(), new float[] {1, 2, 3, 4, 5, 6}),
                            scope.tensor(b.shape(), new float[] {10, 20, 30, 40})));
            assertThat(g.of(a).orElseThrow().toArray()).containsExactly(1, 4);
            assertThat(g.of(b).orElseThrow().toArray()).containsExactly(7, 13, 20, 26);
        }
    }

    @EachDevice
    void unusedLeafHasNoGradient(String device) {
        try (var d = Devices.open(device);
                Scope scope = d.scope()) {
            Tensor used = scope.tensor(Shape.scalar(), new float[] {2});
            Tensor unused = scope.zeros(SHAPE);
            Tape tape = Tape.training(scope, List.of(used, unused));
            Gradients g = tape.backward(Sum.apply(tape, List.of(new Sum.Term(3, used), new Sum.Term(4, used))));
            assertThat(g.of(used).orElseThrow().item()).isEqualTo(7);
            assertThat(g.of(unused)).isEmpty();
        }
    }

    @EachDevice
    void tapeIsUsedUpByBackward(String device) {
        try (var d = Devices.open(device);
                Scope scope = d.scope()) {
            Tensor x = scope.tensor(Shape.scalar(), new float[] {2});
            Tape tape = Tape.training(scope, List.of(x));
            Tensor y = Sum.apply(tape, List.of(new Sum.Term(3, x)));
            tape.backward(y);
            assertThatIllegalStateException().isThrownBy(() -> tape.backward(y)).withMessageContaining("used up");
        }
    }

    @EachDevice
    void closedTensorThrows(String device) {
        try (var d = Devices.open(device)) {
            Tensor x;
            Tensor slice;
            try (Scope scope = d.scope()) {
                x = scope.zeros(SHAPE);
                slice = x.slice(1, 1);
                scope.close();
            }
            assertThatIllegalStateException().isThrownBy(x::toArray).withMessageContaining("closed");
            assertThatIllegalStateException().isThrownBy(() -> slice.fill(1)).withMessageContaining("closed");
            assertThat(d.describe().poolLiveBlocks()).isZero();
        }
    }

    @EachDevice
    void inferenceFreesWhatIsDone(String device) {
        try (var d = Devices.open(device);
                Scope scope = d.scope()) {
            Tape tape = Tape.inference(scope);
            Tensor x = scope.zeros(SHAPE);
            Tensor y = Activation.apply(tape, x, Activation.Function.RELU);
            tape.done(x);
            assertThatIllegalStateException().isThrownBy(x::toArray);
            assertThat(y.toArray()).containsOnly(0);
            assertThatIllegalStateException().isThrownBy(() -> tape.backward(List.of(y), List.of(y)));
        }
    }

    @EachDevice
    void backwardFreesAnOutputBeforeTheOpThatMadeIt(String device) {
        try (var d = Devices.open(device);
                Scope scope = d.scope()) {
            assertThat(outputIsFreeBackward(scope, false)).isTrue();
            assertThat(outputIsFreeBackward(scope, true)).isFalse();
        }
    }

    /** Whether the output of an op is free while the op runs backward. */
    private static boolean outputIsFreeBackward(Scope scope, boolean used) {
        Tensor x = scope.zeros(SHAPE);
        Tape tape = Tape.training(scope, List.of(x));
        Tensor y = scope.zeros(SHAPE);
        AtomicBoolean free = new AtomicBoolean();
        Op op = new Op() {
            @Override
            public void backward(Tensor gradient, Gradients gradients) {
                try {
                    y.fill(1);
                } catch (IllegalStateException e) {
                    free.set(true);
                }
                gradients.give(x, gradient);
            }

            @Override
            public boolean usesOutput() {
                return used;
            }
        };
        tape.record(y, op, x);
        Tensor z = Activation.apply(tape, y, Activation.Function.RELU); // reads y backward: it must still be there
        tape.done(y);
        tape.backward(List.of(z), List.of(scope.zeros(SHAPE)));
        assertThatIllegalStateException().isThrownBy(y::toArray);
        return free.get();
    }
}
