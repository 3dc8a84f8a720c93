package dev.voxgrad.bench;

import dev.voxgrad.engine.autograd.Tape;
import dev.voxgrad.engine.op.Activation;
import dev.voxgrad.engine.tensor.Device;
import dev.voxgrad.engine.tensor.Scope;
import dev.voxgrad.engine.tensor.Shape;
import dev.voxgrad.engine.tensor.Tensor;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** What the engine adds to a kernel: the smallest op, alone and with its scope, tape and gradient. */
@State(org.openjdk.jmh.annotations.Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class CallPathBenchmark {
    private Device device;
    private Scope scope;
    private Tensor x;

    /** Opens a device with one thread, so that no thread is woken. */
    @Setup
    public void open() {
        device = Device.cpu(1);
        scope = device.scope();
        x = scope.zeros(Shape.vector(8));
    }

    /** Frees everything. */
    @TearDown
    public void close() {
        device.close();
    }

    /** One native call on existing tensors. */
    @Benchmark
    public void call() {
        x.fill(1);
    }

    /** A scope with one tensor. */
    @Benchmark
    public long scope() {
        try (Scope step = device.scope()) {
            return step.tensor(Shape.vector(8)).stride();
        }
    }

    /** An op with its gradient. */
    @Benchmark
    public float opWithGradient() {
        try (Scope step = device.scope()) {
            Tape tape = Tape.training(step, List.of(x));
            Tensor y = Activation.apply(tape, x, Activation.Function.RELU);
            Tensor upstream = step.zeros(y.shape());
            return tape.backward(List.of(y), List.of(upstream))
                    .of(x)
                    .orElseThrow()
                    .stride();
        }
    }
}
