package dev.voxgrad.bench;

import dev.voxgrad.bindings.ffi.vg_conv3d;
import dev.voxgrad.engine.autograd.Tape;
import dev.voxgrad.engine.op.Activation;
import dev.voxgrad.engine.tensor.Device;
import dev.voxgrad.engine.tensor.Scope;
import dev.voxgrad.engine.tensor.Shape;
import dev.voxgrad.engine.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
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

    /** The sizes of a convolution in a struct. */
    @Benchmark
    public long struct() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment p = vg_conv3d.allocate(arena);
            vg_conv3d.size(p, vg_conv3d.sizeof());
            vg_conv3d.n(p, 1);
            vg_conv3d.d(p, 1);
            vg_conv3d.h(p, 1);
            vg_conv3d.w(p, 1);
            vg_conv3d.ci(p, 8);
            vg_conv3d.co(p, 8);
            vg_conv3d.kd(p, 1);
            vg_conv3d.kh(p, 1);
            vg_conv3d.kw(p, 1);
            vg_conv3d.sd(p, 1);
            vg_conv3d.sh(p, 1);
            vg_conv3d.sw(p, 1);
            vg_conv3d.x_stride(p, 8);
            vg_conv3d.y_stride(p, 8);
            return vg_conv3d.n(p);
        }
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
