package dev.voxgrad.engine.op;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.voxgrad.engine.ShapeException;
import dev.voxgrad.engine.autograd.Gradients;
import dev.voxgrad.engine.autograd.Tape;
import dev.voxgrad.engine.tensor.Device;
import dev.voxgrad.engine.tensor.Scope;
import dev.voxgrad.engine.tensor.Shape;
import dev.voxgrad.engine.tensor.Tensor;
import dev.voxgrad.golden.Devices;
import dev.voxgrad.golden.EachDevice;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;

/** Maps that are stored before their norm against the same network of separate ops. */
class FeatureMapTest {
    private static final Shape IMAGE = new Shape(2, 4, 6, 5, 3);
    private static final Shape FIRST = new Shape(8, 3, 3, 3, 3);
    private static final Shape SECOND = new Shape(10, 3, 3, 3, 8);
    private static final Shape UP = new Shape(8, 1, 1, 1, 4);
    private static final Shape JOINED = new Shape(5, 3, 3, 3, 12);
    private static final Triple ONE = Triple.of(1);
    private static final float EPS = 1e-5f;
    private static final float SLOPE = 0.2f;

    /** One convolution with norm and leaky ReLU: fused or not. */
    private interface Layer {
        FeatureMap apply(Tape tape, FeatureMap x, Tensor w, List<Tensor> norm, Optional<Tensor> into);
    }

    private interface Network {
        Tensor apply(Tape tape, Layer layer, List<Tensor> in);
    }

    private static FeatureMap fused(Tape tape, FeatureMap x, Tensor w, List<Tensor> norm, Optional<Tensor> into) {
        Conv3d.Norm behind = new Conv3d.Norm(norm.get(0), norm.get(1), EPS, SLOPE);
        return Conv3d.apply(tape, x, w, Optional.empty(), ONE, ONE, behind, into);
    }

    private static FeatureMap separate(Tape tape, FeatureMap x, Tensor w, List<Tensor> norm, Optional<Tensor> into) {
        Tensor y = Conv3d.apply(tape, x.values(tape), w, Optional.empty(), ONE, ONE);
        Activation.Function function = Activation.Function.leakyRelu(SLOPE);
        return FeatureMap.of(InstanceNorm.apply(tape, y, norm.get(0), norm.get(1), EPS, function, into));
    }

    private static FeatureMap first(Tape tape, Layer layer, List<Tensor> in, Optional<Tensor> into) {
        return layer.apply(tape, FeatureMap.of(in.get(0)), in.get(1), in.subList(2, 4), into);
    }

    @EachDevice
    void convolutionReadsAMapBeforeItsNorm(String name) throws Exception {
        expectSame(
                name,
                List.of(IMAGE, FIRST, Shape.vector(8), Shape.vector(8), SECOND),
                (tape, layer, in) -> Conv3d.apply(
                        tape, first(tape, layer, in, Optional.empty()), in.get(4), Optional.empty(), ONE, ONE));
    }

    @EachDevice
    void stridesAndTransposedConvolutionsReadItToo(String name) throws Exception {
        expectSame(
                name,
                List.of(IMAGE, FIRST, Shape.vector(8), Shape.vector(8), SECOND, new Shape(10, 2, 2, 2, 4)),
                (tape, layer, in) -> {
                    FeatureMap map = first(tape, layer, in, Optional.empty());
                    Tensor half = Conv3d.apply(tape, map, in.get(4), Optional.empty(), Triple.of(2), ONE);
                    return ConvTranspose3d.apply(tape, half, in.get(5), Optional.empty(), Optional.empty());
                });
        expectSame(
                name,
                List.of(IMAGE, FIRST, Shape.vector(8), Shape.vector(8), new Shape(8, 1, 2, 2, 4)),
                (tape, layer, in) -> ConvTranspose3d.apply(
                        tape, first(tape, layer, in, Optional.empty()), in.get(4), Optional.empty(), Optional.empty()));
    }

    @EachDevice
    void otherOpsReadItsValues(String name) throws Exception {
        expectSame(
                name,
                List.of(IMAGE, FIRST, Shape.vector(8), Shape.vector(8)),
                (tape, layer, in) -> Pool.apply(
                                tape, first(tape, layer, in, Optional.empty()), Pool.Kind.AVERAGE, Triple.of(2))
                        .values(tape));
    }

    @EachDevice
    void severalReadersAddTheirGradients(String name) throws Exception {
        expectSame(name, List.of(IMAGE, FIRST, Shape.vector(8), Shape.vector(8), UP, JOINED), (tape, layer, in) -> {
            Tensor buffer = tape.output(IMAGE.withChannels(12));
            FeatureMap skip = first(tape, layer, in, Optional.of(buffer.slice(4, 8)));
            FeatureMap up = FeatureMap.of(
                    ConvTranspose3d.apply(tape, skip, in.get(4), Optional.empty(), Optional.of(buffer.slice(0, 4))));
            FeatureMap both = FeatureMap.concat(tape, buffer, up, skip);
            return Conv3d.apply(tape, both, in.get(5), Optional.empty(), Triple.of(1), ONE);
        });
    }

    /** The table's op has the memory of the convolution's output, and here no recorded convolution keeps it. */
    @EachDevice
    void aNormLearnsBehindAConvolutionThatDoesNot(String name) {
        try (Device device = Devices.open(name);
                Scope scope = device.scope()) {
            List<Tensor> in = upload(
                    scope, List.of(IMAGE, FIRST, Shape.vector(8), Shape.vector(8), SECOND), new SplittableRandom(5));
            List<float[]> all = gammaAndBeta(scope, in, in);
            List<float[]> alone = gammaAndBeta(scope, in, in.subList(2, 4));
            assertThat(alone.get(0)).isEqualTo(all.get(0));
            assertThat(alone.get(1)).isEqualTo(all.get(1));
        }
    }

    private static List<float[]> gammaAndBeta(Scope scope, List<Tensor> in, List<Tensor> leaves) {
        Tape tape = Tape.training(scope, leaves);
        FeatureMap map = first(tape, FeatureMapTest::fused, in, Optional.empty());
        Tensor y = Conv3d.apply(tape, map, in.get(4), Optional.empty(), ONE, ONE);
        map.done(tape);
        Tensor upstream = scope.tensor(y.shape(), uniform(y.shape(), new SplittableRandom(4)));
        Gradients gradients = tape.backward(List.of(y), List.of(upstream));
        return in.subList(2, 4).stream()
                .map(leaf -> gradients.of(leaf).orElseThrow().toArray())
                .toList();
    }

    @EachDevice
    void aMapOfOneVoxelHasNoVariance(String name) {
        try (Device device = Devices.open(name);
                Scope scope = device.scope()) {
            List<Tensor> in = upload(
                    scope,
                    List.of(new Shape(1, 1, 1, 1, 3), FIRST, Shape.vector(8), Shape.vector(8)),
                    new SplittableRandom(1));
            assertThatThrownBy(() -> first(Tape.inference(scope), FeatureMapTest::fused, in, Optional.empty()))
                    .isInstanceOf(ShapeException.class)
                    .hasMessageContaining("no variance");
        }
    }

    private static void expectSame(String name, List<Shape> shapes, Network network) {
        try (Device device = Devices.open(name);
                Scope scope = device.scope()) {
            List<Tensor> in = upload(scope, shapes, new SplittableRandom(3));
            List<float[]> fused = run(scope, in, network, FeatureMapTest::fused);
            List<float[]> separate = run(scope, in, network, FeatureMapTest::separate);
            for (int i = 0; i < fused.size(); i++) {
                assertThat(distance(fused.get(i), separate.get(i)))
                        .as(i == 0 ? "output" : "gradient of input " + (i - 1))
                        .isLessThan(1e-5);
            }
        }
    }

    /** The output and the gradients of all inputs for a random upstream gradient. */
    private static List<float[]> run(Scope scope, List<Tensor> in, Network network, Layer layer) {
        Tape tape = Tape.training(scope, in);
        Tensor y = network.apply(tape, layer, in);
        List<float[]> results = new ArrayList<>(List.of(y.toArray()));
        Tensor upstream = scope.tensor(y.shape(), uniform(y.shape(), new SplittableRandom(4)));
        tape.done(y);
        Gradients gradients = tape.backward(List.of(y), List.of(upstream));
        in.forEach(leaf -> results.add(gradients.of(leaf).orElseThrow().toArray()));
        return results;
    }

    private static double distance(float[] a, float[] b) {
        double difference = 0;
        double norm = 0;
        for (int i = 0; i < a.length; i++) {
            difference += Math.pow((double) a[i] - b[i], 2);
            norm += Math.pow(b[i], 2);
        }
        return Math.sqrt(difference / norm);
    }

    private static List<Tensor> upload(Scope scope, List<Shape> shapes, SplittableRandom random) {
        return shapes.stream().map(s -> scope.tensor(s, uniform(s, random))).toList();
    }

    private static float[] uniform(Shape shape, SplittableRandom random) {
        float[] values = new float[Math.toIntExact(shape.elements())];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextDouble(-1, 1);
        }
        return values;
    }
}
