package dev.voxgrad.engine.op;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.voxgrad.engine.autograd.Gradients;
import dev.voxgrad.engine.autograd.Tape;
import dev.voxgrad.engine.tensor.Device;
import dev.voxgrad.engine.tensor.Scope;
import dev.voxgrad.engine.tensor.Shape;
import dev.voxgrad.engine.tensor.Tensor;
import dev.voxgrad.golden.Devices;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * The derivative of sum(op(inputs) * r) along random directions, from backward and from central differences. Inputs are the shuffled
 * points of a regular grid in (-1, 1): all differ from each other and from 0 by more than a step moves them, so that no maximum and
 * no kink is crossed.
 */
class FiniteDifferenceTest {
    private static final double STEP = 1.0 / 512;

    /** Rounding of float32 sums over the step, relative to the size of the derivative. */
    private static final double TOLERANCE = 2e-3;

    private static final int DIRECTIONS = 3;
    private static final Shape IMAGE = new Shape(2, 4, 3, 4, 2); // 192 elements: grid points 0.01 apart

    private interface Run {
        Tensor apply(Tape tape, List<Tensor> in);
    }

    private record Problem(List<Shape> inputs, Run run) {}

    @TestFactory
    Stream<DynamicTest> derivativeMatchesDifference() {
        Map<String, Problem> problems = new LinkedHashMap<>();
        convolutions(problems);
        voxelWise(problems);
        grids(problems);
        losses(problems);
        return problems.entrySet().stream()
                .map(e -> DynamicTest.dynamicTest(
                        e.getKey(),
                        () -> Devices.each(
                                device -> check(e.getValue(), device, e.getKey().hashCode()))));
    }

    private static void convolutions(Map<String, Problem> problems) {
        Shape bias = Shape.vector(3);
        problems.put(
                "conv3d",
                new Problem(
                        List.of(IMAGE, new Shape(3, 3, 1, 3, 2), bias),
                        (tape, in) -> Conv3d.apply(
                                tape,
                                in.get(0),
                                in.get(1),
                                Optional.of(in.get(2)),
                                new Triple(2, 1, 1),
                                new Triple(1, 0, 1))));
        problems.put(
                "conv3d without bias",
                new Problem(
                        List.of(IMAGE, new Shape(3, 1, 3, 3, 2)),
                        (tape, in) -> Conv3d.apply(
                                tape, in.get(0), in.get(1), Optional.empty(), Triple.of(1), Triple.of(0))));
        problems.put(
                "transposed conv3d",
                new Problem(
                        List.of(IMAGE, new Shape(2, 2, 1, 2, 3), bias),
                        (tape, in) -> ConvTranspose3d.apply(
                                tape, in.get(0), in.get(1), Optional.of(in.get(2)), Optional.empty())));
        problems.put(
                "transposed conv3d and norm into one concatenation",
                new Problem(
                        List.of(IMAGE, new Shape(2, 1, 1, 1, 3), bias, Shape.vector(2), Shape.vector(2)),
                        (tape, in) -> {
                            Tensor buffer = tape.output(IMAGE.withChannels(5));
                            Tensor up = ConvTranspose3d.apply(
                                    tape,
                                    in.get(0),
                                    in.get(1),
                                    Optional.of(in.get(2)),
                                    Optional.of(buffer.slice(0, 3)));
                            Tensor skip = InstanceNorm.apply(
                                    tape,
                                    in.get(0),
                                    in.get(3),
                                    in.get(4),
                                    1e-5f,
                                    Activation.Function.MISH,
                                    Optional.of(buffer.slice(3, 2)));
                            return Concat.of(tape, buffer, up, skip);
                        }));
    }

    private static void voxelWise(Map<String, Problem> problems) {
        Map<String, Activation.Function> functions = Map.of(
                "leaky relu", Activation.Function.leakyRelu(0.1f),
                "relu", Activation.Function.RELU,
                "mish", Activation.Function.MISH,
                "sigmoid", Activation.Function.SIGMOID,
                "softplus", Activation.Function.softplus(2, 20));
        functions.forEach((name, f) ->
                problems.put(name, new Problem(List.of(IMAGE), (tape, in) -> Activation.apply(tape, in.get(0), f))));
        for (Activation.Function f : List.of(Activation.Function.IDENTITY, Activation.Function.MISH)) {
            problems.put(
                    "instance norm, " + f.kind(),
                    new Problem(
                            List.of(IMAGE, Shape.vector(2), Shape.vector(2)),
                            (tape, in) -> InstanceNorm.apply(
                                    tape, in.get(0), in.get(1), in.get(2), 1e-5f, f, Optional.empty())));
        }
        problems.put("softmax", new Problem(List.of(IMAGE), (tape, in) -> Softmax.apply(tape, in.get(0))));
        problems.put("log softmax", new Problem(List.of(IMAGE), (tape, in) -> Softmax.applyLog(tape, in.get(0))));
        for (Dropout.Unit unit : Dropout.Unit.values()) {
            problems.put(
                    "dropout, " + unit,
                    new Problem(
                            List.of(IMAGE),
                            (tape, in) -> Dropout.apply(tape, in.get(0), 0.4f, unit, new Dropout.Draw(7, 3))));
        }
        problems.put("add", new Problem(List.of(IMAGE, IMAGE), (tape, in) -> Add.apply(tape, in.get(0), in.get(1))));
        problems.put("add in place", new Problem(List.of(IMAGE, IMAGE), (tape, in) -> {
            Tensor sum = Add.apply(tape, in.get(0), in.get(1));
            return Add.inPlace(tape, sum, in.get(1));
        }));
        problems.put(
                "concat",
                new Problem(
                        List.of(IMAGE, IMAGE.withChannels(1)), (tape, in) -> Concat.apply(tape, in.get(0), in.get(1))));
    }

    private static void grids(Map<String, Problem> problems) {
        for (Pool.Kind kind : Pool.Kind.values()) {
            problems.put(
                    "pool, " + kind,
                    new Problem(List.of(IMAGE), (tape, in) -> Pool.apply(tape, in.get(0), kind, new Triple(2, 2, 3))));
        }
        for (Interpolate.Mode mode : Interpolate.Mode.values()) {
            problems.put(
                    "interpolate, " + mode,
                    new Problem(
                            List.of(IMAGE),
                            (tape, in) -> Interpolate.apply(tape, in.get(0), new Triple(7, 5, 3), mode)));
        }
        for (Pad.Mode mode : Pad.Mode.values()) {
            problems.put(
                    "pad, " + mode,
                    new Problem(List.of(IMAGE), (tape, in) -> Pad.apply(tape, in.get(0), new Triple(1, 0, 2), mode)));
        }
    }

    private static void losses(Map<String, Problem> problems) {
        problems.put(
                "sum",
                new Problem(
                        List.of(Shape.scalar(), Shape.scalar()),
                        (tape, in) ->
                                Sum.apply(tape, List.of(new Sum.Term(0.5f, in.get(0)), new Sum.Term(-2, in.get(1))))));
        for (SegLoss.Nonlinearity nonlinearity : SegLoss.Nonlinearity.values()) {
            boolean sigmoid = nonlinearity == SegLoss.Nonlinearity.SIGMOID;
            Shape targets = sigmoid ? IMAGE : IMAGE.withChannels(1);
            byte[] values = new byte[(int) targets.elements()];
            SplittableRandom random = new SplittableRandom(5);
            IntStream.range(0, values.length).forEach(i -> values[i] = (byte) random.nextInt(2));
            problems.put(
                    "segmentation loss, " + nonlinearity,
                    new Problem(
                            List.of(IMAGE),
                            (tape, in) -> SegLoss.apply(
                                    tape,
                                    in.get(0),
                                    tape.scope().labels(targets, values),
                                    new SegLoss.Options(nonlinearity, -1, Optional.empty()),
                                    FiniteDifferenceTest::formula)));
        }
    }

    /** A weighted sum of all sums that have derivatives, different for each class and kind. */
    private static double formula(SegLoss.Sums sums, SegLoss.Sums partials) {
        double value = 0;
        for (int n = 0; n < sums.samples(); n++) {
            for (int c = 0; c < sums.classes(); c++) {
                for (SegLoss.Kind kind : SegLoss.Kind.values()) {
                    if (kind != SegLoss.Kind.COUNT && kind != SegLoss.Kind.VOXELS) {
                        double weight = 0.1 * (1 + n + 2 * c + kind.ordinal());
                        value += weight * sums.get(n, 0, c, kind);
                        partials.add(n, 0, c, kind, weight);
                    }
                }
            }
        }
        return value;
    }

    private static void check(Problem problem, Device device, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        List<float[]> inputs = problem.inputs().stream()
                .map(s -> grid((int) s.elements(), random))
                .toList();
        float[] r;
        List<float[]> gradients = new ArrayList<>();
        try (Scope scope = device.scope()) {
            List<Tensor> in = upload(scope, problem, inputs, List.of(), 0);
            Tape tape = Tape.training(scope, in);
            Tensor y = problem.run().apply(tape, in);
            r = uniform((int) y.shape().elements(), random);
            tape.done(y); // an op that reads its output backward must say so
            Gradients g = tape.backward(List.of(y), List.of(scope.tensor(y.shape(), r)));
            in.forEach(t -> gradients.add(g.of(t).orElseThrow().toArray()));
        }
        for (int k = 0; k < DIRECTIONS; k++) {
            List<float[]> direction =
                    inputs.stream().map(x -> uniform(x.length, random)).toList();
            double exact = 0;
            double size = 0;
            for (int i = 0; i < inputs.size(); i++) {
                for (int j = 0; j < inputs.get(i).length; j++) {
                    double part = gradients.get(i)[j] * (double) direction.get(i)[j];
                    exact += part;
                    size += part * part;
                }
            }
            double difference = (value(problem, device, inputs, direction, STEP, r)
                            - value(problem, device, inputs, direction, -STEP, r))
                    / (2 * STEP);
            assertThat(difference)
                    .as("direction " + k + " on " + device.name() + ", seed " + seed)
                    .isCloseTo(exact, within(TOLERANCE * (Math.sqrt(size) + Math.abs(exact)) + 1e-4));
        }
    }

    private static double value(
            Problem problem, Device device, List<float[]> inputs, List<float[]> direction, double step, float[] r) {
        try (Scope scope = device.scope()) {
            List<Tensor> in = upload(scope, problem, inputs, direction, step);
            float[] y = problem.run().apply(Tape.training(scope, in), in).toArray();
            double sum = 0;
            for (int i = 0; i < y.length; i++) {
                sum += (double) y[i] * r[i];
            }
            return sum;
        }
    }

    private static List<Tensor> upload(
            Scope scope, Problem problem, List<float[]> inputs, List<float[]> direction, double step) {
        List<Tensor> tensors = new ArrayList<>();
        for (int i = 0; i < inputs.size(); i++) {
            float[] x = inputs.get(i).clone();
            for (int j = 0; j < x.length && step != 0; j++) {
                x[j] += (float) (step * direction.get(i)[j]);
            }
            tensors.add(scope.tensor(problem.inputs().get(i), x));
        }
        return tensors;
    }

    /** The points (2 i + 1)/n - 1 in random order. */
    private static float[] grid(int n, SplittableRandom random) {
        float[] values = new float[n];
        for (int i = 0; i < n; i++) {
            int j = random.nextInt(i + 1);
            values[i] = values[j];
            values[j] = (2f * i + 1) / n - 1;
        }
        return values;
    }

    private static float[] uniform(int n, SplittableRandom random) {
        float[] values = new float[n];
        for (int i = 0; i < n; i++) {
            values[i] = (float) random.nextDouble(-1, 1);
        }
        return values;
    }
}
