package dev.voxgrad.bench;

import dev.voxgrad.engine.autograd.Gradients;
import dev.voxgrad.engine.autograd.Tape;
import dev.voxgrad.engine.op.Conv3d;
import dev.voxgrad.engine.op.Triple;
import dev.voxgrad.engine.tensor.Device;
import dev.voxgrad.engine.tensor.Scope;
import dev.voxgrad.engine.tensor.Shape;
import dev.voxgrad.engine.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;

/** Times a convolution layer, forward and both gradients, through the engine's own op. */
final class ConvBench {
    /** Median milliseconds of the forward pass and of the two gradients together. */
    record Times(double forwardMs, double backwardMs) {}

    private ConvBench() {}

    static Times run(Device device, ConvProblem problem, double secondsEach) {
        try (Scope scope = device.scope()) {
            Tensor x = random(scope, problem.input(), 1);
            Tensor w = random(
                    scope,
                    new Shape(
                            problem.outputChannels(),
                            problem.kernelDepth(),
                            problem.kernel(),
                            problem.kernel(),
                            problem.input().c()),
                    2);
            Tensor dy = random(scope, problem.output(), 3);
            Triple stride = new Triple(problem.strideDepth(), problem.stride(), problem.stride());
            Triple padding = new Triple(problem.kernelDepth() / 2, problem.kernel() / 2, problem.kernel() / 2);
            double[] forward = new double[1000];
            double[] backward = new double[1000];
            int runs = 0;
            long end = System.nanoTime() + (long) (secondsEach * 1e9);
            // The first two runs warm up and do not count.
            for (int i = -2; i < forward.length && (i < 5 || System.nanoTime() < end); i++) {
                try (Scope step = device.scope()) {
                    Tape tape = Tape.training(step, List.of(x, w));
                    long t0 = System.nanoTime();
                    Tensor y = Conv3d.apply(tape, x, w, Optional.empty(), stride, padding);
                    long t1 = System.nanoTime();
                    Tensor upstream = dy.copy(step);
                    long t2 = System.nanoTime();
                    Gradients gradients = tape.backward(List.of(y), List.of(upstream));
                    long t3 = System.nanoTime();
                    if (gradients.of(w).isEmpty()) {
                        throw new IllegalStateException("no gradient");
                    }
                    if (i >= 0) {
                        forward[i] = (t1 - t0) / 1e6;
                        backward[i] = (t3 - t2) / 1e6;
                        runs = i + 1;
                    }
                }
            }
            return new Times(median(forward, runs), median(backward, runs));
        }
    }

    private static Tensor random(Scope scope, Shape shape, long seed) {
        Random random = new Random(seed);
        float[] values = new float[Math.toIntExact(shape.elements())];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return scope.tensor(shape, values);
    }

    static double median(double[] values, int count) {
        double[] sorted = Arrays.copyOf(values, count);
        Arrays.sort(sorted);
        return count % 2 == 1 ? sorted[count / 2] : (sorted[count / 2 - 1] + sorted[count / 2]) / 2;
    }
}
