package dev.voxgrad.engine.infer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.DataException;
import dev.voxgrad.engine.nn.Module;
import dev.voxgrad.engine.op.Triple;
import dev.voxgrad.engine.tensor.Device;
import dev.voxgrad.engine.tensor.Scope;
import dev.voxgrad.engine.tensor.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class SlidingWindowTest {
    /** A convolution of one voxel: its logits do not depend on where a tile lies. */
    private static Module pointwise(Scope scope, int channels, int classes) {
        Random random = new Random(1);
        return new Convolution(
                scope.tensor(new Shape(classes, 1, 1, 1, channels), values(random, classes * channels)),
                scope.tensor(Shape.vector(classes), values(random, classes)));
    }

    private static float[] values(Random random, int count) {
        float[] x = new float[count];
        for (int i = 0; i < count; i++) {
            x[i] = random.nextFloat() - 0.5f;
        }
        return x;
    }

    private static float[] predict(
            SlidingWindow window, Device device, List<Module> models, float[] image, Triple size, int classes) {
        int plane = size.h() * size.w() * classes;
        float[] all = new float[size.d() * plane];
        int[] next = {0};
        window.predict(
                "case",
                device,
                models,
                image,
                size,
                (z, logits) -> {
                    assertThat(z).isEqualTo(next[0]++);
                    System.arraycopy(logits, 0, all, z * plane, plane);
                },
                (done, total) -> {});
        assertThat(next[0]).isEqualTo(size.d());
        return all;
    }

    @Test
    void tilesOfAPointwiseNetworkGiveTheNetworkItself() {
        Random random = new Random(2);
        List<Triple> sizes = List.of(
                new Triple(8, 8, 8),
                new Triple(19, 11, 9),
                new Triple(3, 20, 5),
                new Triple(1, 9, 30),
                new Triple(25, 2, 3));
        try (Device device = Device.cpu();
                Scope scope = device.scope()) {
            Module model = pointwise(scope, 2, 3);
            float[] w = ((Convolution) model).weight().toArray();
            float[] b = ((Convolution) model).bias().toArray();
            for (Triple size : sizes) {
                float[] image = values(random, size.d() * size.h() * size.w() * 2);
                for (SlidingWindow.Rule rule : SlidingWindow.Rule.values()) {
                    for (SlidingWindow.Padding padding : SlidingWindow.Padding.values()) {
                        for (List<Integer> axes : List.of(List.<Integer>of(), List.of(0, 2), List.of(0, 1, 2))) {
                            SlidingWindow window = new SlidingWindow(
                                    new Triple(8, 6, 5), rule, 0.4, ImportanceMap.NNUNET_GAUSSIAN, axes, padding);
                            float[] logits = predict(window, device, List.of(model), image, size, 3);
                            for (int v = 0; v < logits.length / 3; v++) {
                                for (int c = 0; c < 3; c++) {
                                    float expected = b[c] + w[2 * c] * image[2 * v] + w[2 * c + 1] * image[2 * v + 1];
                                    assertThat(logits[3 * v + c])
                                            .as(size + " " + window)
                                            .isCloseTo(expected, within(1e-5f));
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    @Test
    void severalModelsGiveTheMeanOfTheirLogits() {
        Triple size = new Triple(9, 9, 9);
        float[] image = values(new Random(3), 729);
        SlidingWindow window = SlidingWindow.nnunet(new Triple(4, 6, 8), List.of(1));
        try (Device device = Device.cpu();
                Scope scope = device.scope()) {
            Module a = new Convolution(
                    scope.tensor(new Shape(2, 3, 3, 3, 1), values(new Random(4), 54)),
                    scope.tensor(Shape.vector(2), values(new Random(5), 2)));
            Module b = new Convolution(
                    scope.tensor(new Shape(2, 3, 3, 3, 1), values(new Random(6), 54)),
                    scope.tensor(Shape.vector(2), values(new Random(7), 2)));
            float[] first = predict(window, device, List.of(a), image, size, 2);
            float[] second = predict(window, device, List.of(b), image, size, 2);
            float[] both = predict(window, device, List.of(a, b), image, size, 2);
            for (int i = 0; i < both.length; i++) {
                assertThat(both[i]).isCloseTo((first[i] + second[i]) / 2, within(1e-5f));
            }
        }
    }

    @Test
    void memoryDependsOnTheTileNotOnTheLengthOfTheVolume() {
        int classes = 40;
        long peak = peakBytes(new Triple(24, 32, 32), classes);
        long longer = peakBytes(new Triple(96, 32, 32), classes);
        long extraImage = 72 * 32 * 32 * 4;
        assertThat(longer - peak).isLessThanOrEqualTo(extraImage + 65_536);
        assertThat(longer).isLessThan(96 * 32 * 32 * classes * 4L / 2);
    }

    private static long peakBytes(Triple size, int classes) {
        try (Device device = Device.cpu();
                Scope scope = device.scope()) {
            Module model = pointwise(scope, 1, classes);
            SlidingWindow window = SlidingWindow.nnunet(new Triple(8, 16, 16), List.of());
            List<Integer> planes = new ArrayList<>();
            float[] image = new float[size.d() * size.h() * size.w()];
            window.predict(
                    "case", device, List.of(model), image, size, (z, logits) -> planes.add(z), (done, total) -> {});
            assertThat(planes).hasSize(size.d());
            return device.describe().poolPeakBytes();
        }
    }

    @Test
    void aResultThatIsNotFiniteNamesTheCase() {
        Triple size = new Triple(4, 4, 4);
        float[] image = new float[64];
        image[33] = Float.NaN;
        try (Device device = Device.cpu();
                Scope scope = device.scope()) {
            Module model = pointwise(scope, 1, 2);
            SlidingWindow window = SlidingWindow.nnunet(size, List.of());
            assertThatThrownBy(() -> predict(window, device, List.of(model), image, size, 2))
                    .isInstanceOf(DataException.class)
                    .hasMessageContainingAll("case", "not finite", "plane 2");
            assertThatThrownBy(() -> predict(window, device, List.of(), image, size, 2))
                    .isInstanceOf(ConfigException.class);
        }
    }

    @Test
    void progressCountsAllTiles() {
        List<Integer> done = new ArrayList<>();
        try (Device device = Device.cpu();
                Scope scope = device.scope()) {
            SlidingWindow window = SlidingWindow.nnunet(new Triple(4, 4, 4), List.of());
            window.predict(
                    "case",
                    device,
                    List.of(pointwise(scope, 1, 2)),
                    new float[6 * 4 * 8],
                    new Triple(6, 4, 8),
                    (z, logits) -> {},
                    (n, total) -> {
                        assertThat(total).isEqualTo(6);
                        done.add(n);
                    });
        }
        assertThat(done).containsExactly(1, 2, 3, 4, 5, 6);
    }

    @Test
    void stepsCoverTheAxisWithoutGaps() {
        for (int n = 1; n < 60; n++) {
            for (int t = 1; t <= n; t++) {
                for (double step : new double[] {0.1, 0.5, 1}) {
                    assertCovers(WindowSteps.nnunet(n, t, step), n, t);
                    assertCovers(WindowSteps.monai(n, t, 1 - step), n, t);
                }
            }
        }
        assertThat(WindowSteps.nnunet(110, 64, 0.5)).containsExactly(0, 23, 46);
        assertThatThrownBy(() -> WindowSteps.nnunet(8, 4, 0))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("step");
        assertThatThrownBy(() -> WindowSteps.monai(8, 4, 1))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("overlap");
    }

    private static void assertCovers(int[] starts, int n, int t) {
        assertThat(starts[0]).isZero();
        assertThat(starts[starts.length - 1]).isEqualTo(n - t);
        for (int i = 1; i < starts.length; i++) {
            assertThat(starts[i]).as(Arrays.toString(starts)).isBetween(starts[i - 1], starts[i - 1] + t);
        }
    }
}
