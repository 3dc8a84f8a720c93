package dev.voxgrad.bench;

import dev.voxgrad.engine.autograd.Gradients;
import dev.voxgrad.engine.autograd.Tape;
import dev.voxgrad.engine.op.Conv3d;
import dev.voxgrad.engine.op.ConvTranspose3d;
import dev.voxgrad.engine.tensor.Device;
import dev.voxgrad.engine.tensor.Scope;
import dev.voxgrad.engine.tensor.Tensor;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiConsumer;

/** A convolution layer through the engine's own op. */
final class OurConv implements Side.Run {
    private final Device device;
    private final ConvProblem problem;
    private final Direction direction;
    private final Tensor x;
    private final Tensor w;
    private final Optional<Tensor> dy;

    OurConv(Device device, ConvProblem problem, Direction direction) {
        this.device = device;
        this.problem = problem;
        this.direction = direction;
        Scope scope = device.scope();
        x = scope.tensor(problem.input(), problem.x());
        w = scope.tensor(problem.weight(), problem.w());
        dy = direction == Direction.FORWARD
                ? Optional.empty()
                : Optional.of(scope.tensor(problem.output(), problem.dy()));
    }

    @Override
    public Map<String, float[]> answer() {
        try (Scope step = device.scope()) {
            if (direction == Direction.FORWARD) {
                return Map.of("y", forward(Tape.inference(step)).toArray());
            }
            Map<String, float[]> answer = new HashMap<>();
            backward(step, (name, gradient) -> answer.put(name, gradient.toArray()));
            return answer;
        }
    }

    @Override
    public double milliseconds() {
        try (Scope step = device.scope()) {
            if (direction == Direction.BACKWARD) {
                return backward(step, (name, gradient) -> {});
            }
            long start = System.nanoTime();
            forward(Tape.inference(step));
            return (System.nanoTime() - start) / 1e6;
        }
    }

    private Tensor forward(Tape tape) {
        return problem.transposed()
                ? ConvTranspose3d.apply(tape, x, w, Optional.empty(), Optional.empty())
                : Conv3d.apply(tape, x, w, Optional.empty(), problem.stride(), problem.padding());
    }

    /** Returns the milliseconds of the backward pass alone. */
    private double backward(Scope step, BiConsumer<String, Tensor> results) {
        Tape tape = Tape.training(step, List.of(x, w));
        Tensor y = forward(tape);
        Tensor upstream = dy.orElseThrow().copy(step); // backward consumes it
        long start = System.nanoTime();
        Gradients gradients = tape.backward(List.of(y), List.of(upstream));
        double ms = (System.nanoTime() - start) / 1e6;
        results.accept("dx", gradients.of(x).orElseThrow());
        results.accept("dw", gradients.of(w).orElseThrow());
        return ms;
    }

    @Override
    public void close() {
        device.close();
    }
}
