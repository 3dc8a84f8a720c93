package dev.voxgrad.engine.plan;

import static org.assertj.core.api.Assertions.assertThat;

import dev.voxgrad.engine.op.Triple;
import dev.voxgrad.engine.tensor.Device;
import dev.voxgrad.golden.GoldenCase;
import dev.voxgrad.golden.GoldenTensor;
import dev.voxgrad.golden.Tolerance;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;
import tools.jackson.databind.JsonNode;

/** Golden handler of resampling. */
final class ResampleGolden {
    /** For cases that the reference resizes in float64: the engine holds images in float32. */
    private static final Tolerance FLOAT32 = new Tolerance(2e-6, 2e-6, Double.POSITIVE_INFINITY, 0);

    private ResampleGolden() {}

    static void check(GoldenCase golden) {
        JsonNode params = golden.params();
        if (params.has("rows")) {
            params.get("rows").forEach(ResampleGolden::row);
            return;
        }
        GoldenTensor x = golden.tensor("inputs/x");
        boolean channels = x.shape().length == 4;
        Triple from = triple(Arrays.stream(x.shape()).skip(channels ? 1 : 0).toArray());
        Triple to = triple(ints(params.get("new_shape")));
        OptionalInt separate = channels ? separate(params) : OptionalInt.empty();
        int order = params.get("order").asInt();
        int across = params.path("order_z").asInt(0);
        if (params.path("is_seg").asBoolean(false)) {
            golden.check("outputs/y", labels(x, from, to, separate, order, across));
            return;
        }
        int voxels = from.d() * from.h() * from.w();
        double[] y = {};
        try (Device device = Device.cpu()) {
            for (int c = 0; c < x.values().length / voxels; c++) {
                float[] channel = Arrays.copyOfRange(x.floats(), c * voxels, (c + 1) * voxels);
                float[] resized = Resampler.resize(device, channel, from, to, order, across, separate);
                double[] all = Arrays.copyOf(y, y.length + resized.length);
                for (int i = 0; i < resized.length; i++) {
                    all[y.length + i] = resized[i];
                }
                y = all;
            }
        }
        golden.check("outputs/y", golden.tensor("outputs/y"), y, channels ? golden.tolerance("outputs/y") : FLOAT32);
    }

    private static int[] labels(GoldenTensor x, Triple from, Triple to, OptionalInt separate, int order, int across) {
        short[] labels = new short[x.values().length];
        for (int i = 0; i < labels.length; i++) {
            labels[i] = (short) x.values()[i];
        }
        short[] y;
        if (order == 0) {
            y = Resampler.labels(labels, from, axes(from, to, false, false, false));
        } else if (across == 0) {
            y = Resampler.labels(labels, from, to, separate);
        } else {
            // First within the slices, then linearly between two of them.
            Triple inPlane = new Triple(from.d(), to.h(), to.w());
            short[] slices = Resampler.labels(labels, from, axes(from, inPlane, false, true, true));
            y = Resampler.labels(slices, inPlane, axes(inPlane, to, true, false, false));
        }
        return IntStream.range(0, y.length).map(i -> y[i]).toArray();
    }

    private static List<ResampleAxis> axes(Triple from, Triple to, boolean z, boolean y, boolean x) {
        return List.of(axis(from.d(), to.d(), z), axis(from.h(), to.h(), y), axis(from.w(), to.w(), x));
    }

    private static ResampleAxis axis(int n, int m, boolean linear) {
        return linear ? ResampleAxis.linear(n, m) : ResampleAxis.nearest(n, m);
    }

    private static OptionalInt separate(JsonNode params) {
        List<Double> current = doubles(params.get("current_spacing"));
        JsonNode forced = params.path("force_separate_z");
        if (forced.isBoolean()) {
            double coarsest = current.stream().mapToDouble(s -> s).max().orElseThrow();
            return forced.asBoolean() ? OptionalInt.of(current.indexOf(coarsest)) : OptionalInt.empty();
        }
        return Resampler.separateAxis(current, doubles(params.get("new_spacing")));
    }

    private static void row(JsonNode row) {
        List<Double> current = doubles(row.get("current"));
        List<Double> target = doubles(row.get("new"));
        assertThat(Resampler.targetSize(triple(ints(row.get("shape"))), current, target))
                .as(row.toString())
                .isEqualTo(triple(ints(row.get("new_shape"))));
        OptionalInt axis = Resampler.separateAxis(current, target);
        assertThat(axis.isPresent())
                .as(row.toString())
                .isEqualTo(row.get("separate_z").asBoolean());
        axis.ifPresent(
                a -> assertThat(a).as(row.toString()).isEqualTo(row.get("axis").asInt()));
    }

    private static Triple triple(int... sizes) {
        int[] s = {1, 1, 1};
        System.arraycopy(sizes, 0, s, 3 - sizes.length, sizes.length);
        return new Triple(s[0], s[1], s[2]);
    }

    private static int[] ints(JsonNode array) {
        return StreamSupport.stream(array.spliterator(), false)
                .mapToInt(JsonNode::asInt)
                .toArray();
    }

    private static List<Double> doubles(JsonNode array) {
        return StreamSupport.stream(array.spliterator(), false)
                .map(JsonNode::asDouble)
                .toList();
    }
}
