package dev.voxgrad.engine.infer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.voxgrad.engine.infer.SlidingWindow.Padding;
import dev.voxgrad.engine.infer.SlidingWindow.Rule;
import dev.voxgrad.engine.nn.Module;
import dev.voxgrad.engine.op.Triple;
import dev.voxgrad.engine.tensor.Device;
import dev.voxgrad.engine.tensor.Scope;
import dev.voxgrad.engine.tensor.Shape;
import dev.voxgrad.engine.tensor.Tensor;
import dev.voxgrad.golden.Golden;
import dev.voxgrad.golden.GoldenCase;
import dev.voxgrad.golden.GoldenTensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.StreamSupport;
import tools.jackson.databind.JsonNode;

/** Golden handlers of the sliding window. */
public final class InferGolden {
    private InferGolden() {}

    /** By group of the manifest. */
    public static Map<String, Golden.Handler> handlers() {
        return Map.of("windows", InferGolden::windows, "predict", InferGolden::predict);
    }

    private static void windows(GoldenCase golden) {
        JsonNode params = golden.params();
        if (params.has("rows")) {
            params.get("rows").forEach(InferGolden::steps);
            return;
        }
        Triple tile = triple(ints(params.get("tile")));
        boolean nnunet = golden.id().contains("nnunet");
        float[] map = (nnunet ? ImportanceMap.NNUNET_GAUSSIAN : ImportanceMap.MONAI_GAUSSIAN).weights(tile);
        double scale = nnunet ? params.get("value_scaling_factor").asDouble() / 10 : 1;
        double[] scaled = new double[map.length];
        for (int i = 0; i < map.length; i++) {
            scaled[i] = map[i] * scale;
        }
        golden.check(nnunet ? "outputs/float64" : "outputs/float32", scaled);
    }

    private static void steps(JsonNode row) {
        List<Integer> image = ints(row.get("image"));
        List<Integer> tile = ints(row.get(row.has("tile") ? "tile" : "roi"));
        for (int axis = 0; axis < image.size(); axis++) {
            int n = image.get(axis);
            int t = tile.get(axis);
            int[] starts = row.has("tile")
                    ? WindowSteps.nnunet(n, t, row.get("step").asDouble())
                    : WindowSteps.monai(n, t, row.get("overlap").asDouble());
            assertThat(starts)
                    .as(row.toString())
                    .containsExactly(ints(row.get("starts").get(axis)).stream()
                            .mapToInt(i -> i)
                            .toArray());
        }
    }

    private static void predict(GoldenCase golden) {
        JsonNode params = golden.params();
        GoldenTensor x = golden.tensor("inputs/x");
        Triple size = triple(spatial(x));
        int channels = x.shape()[x.shape().length - 4];
        float[] image = channelsLast(x.floats(), 0, channels, size);
        SlidingWindow window = params.has("patch_size") ? nnunet(params) : monai(params);
        try (Device device = Device.cpu();
                Scope scope = device.scope()) {
            List<Module> models = new ArrayList<>();
            for (int fold = 0; golden.has("inputs/weight" + fold); fold++) {
                models.add(
                        convolution(scope, golden.tensor("inputs/weight" + fold), golden.tensor("inputs/bias" + fold)));
            }
            if (golden.has("inputs/noise")) {
                noiseAndFlips(golden, window, device, models, image, size);
                return;
            }
            golden.check("outputs/logits", channelsFirst(collect(window, device, models, image, size), size));
        }
    }

    /** Seed 001: the mean of the plain pass and, per round of noise, of a plain and two flipped passes. */
    private static void noiseAndFlips(
            GoldenCase golden, SlidingWindow window, Device device, List<Module> models, float[] image, Triple size) {
        GoldenTensor noise = golden.tensor("inputs/noise");
        int channels = image.length / (size.d() * size.h() * size.w());
        List<float[]> rounds = new ArrayList<>();
        for (int r = 0; r < noise.shape()[0]; r++) {
            rounds.add(channelsLast(noise.floats(), r * image.length, channels, size));
        }
        NoiseFlipAverage average = new NoiseFlipAverage(window, List.of(0, 1));
        float[] mean = average.meanLogits("case", device, models, image, size, rounds, (done, total) -> {});
        float[] logits = channelsFirst(mean, size);
        double[] probability = new double[logits.length];
        double[] segmentation = new double[logits.length];
        double[] uncertainty = new double[logits.length];
        for (int i = 0; i < logits.length; i++) {
            probability[i] = 1 / (1 + Math.exp(-logits[i]));
            segmentation[i] = probability[i] >= golden.params().get("threshold").asDouble() ? 1 : 0;
            uncertainty[i] = Math.abs(1 - probability[i]);
        }
        golden.check("outputs/mean_logits", logits);
        golden.check("outputs/probability", probability);
        golden.check("outputs/segmentation", segmentation);
        golden.check("outputs/uncertainty", uncertainty);
    }

    private static float[] collect(
            SlidingWindow window, Device device, List<Module> models, float[] image, Triple size) {
        List<float[]> planes = new ArrayList<>();
        window.predict(
                "case", device, models, image, size, (z, logits) -> planes.add(logits.clone()), (done, total) -> {});
        int plane = planes.getFirst().length;
        float[] all = new float[planes.size() * plane];
        for (int z = 0; z < planes.size(); z++) {
            System.arraycopy(planes.get(z), 0, all, z * plane, plane);
        }
        return all;
    }

    private static SlidingWindow nnunet(JsonNode params) {
        List<Integer> patch = ints(params.get("patch_size"));
        int shift = 3 - patch.size(); // a 2D patch has depth 1
        List<Integer> axes = params.get("mirror_axes").isNull()
                ? List.of()
                : ints(params.get("mirror_axes")).stream().map(a -> a + shift).toList();
        ImportanceMap map = params.get("gaussian").asBoolean() ? ImportanceMap.NNUNET_GAUSSIAN : ImportanceMap.ONES;
        return new SlidingWindow(triple(patch), Rule.NNUNET, params.get("step").asDouble(), map, axes, Padding.ZERO);
    }

    private static SlidingWindow monai(JsonNode params) {
        return new SlidingWindow(
                triple(ints(params.get("roi"))),
                Rule.MONAI,
                params.get("overlap").asDouble(),
                params.get("mode").asString().equals("gaussian") ? ImportanceMap.MONAI_GAUSSIAN : ImportanceMap.ONES,
                List.of(),
                params.get("padding_mode").asString().equals("replicate") ? Padding.EDGE : Padding.ZERO);
    }

    /** A PyTorch weight (Co, Ci, k...) as [Co][k][k][k][Ci]. */
    private static Module convolution(Scope scope, GoldenTensor weight, GoldenTensor bias) {
        int[] s = weight.shape();
        Triple kernel = triple(Arrays.stream(s).skip(2).boxed().toList());
        int voxels = kernel.d() * kernel.h() * kernel.w();
        float[] w = weight.floats();
        float[] moved = new float[w.length];
        for (int o = 0; o < s[0]; o++) {
            System.arraycopy(
                    channelsLast(w, o * s[1] * voxels, s[1], kernel), 0, moved, o * s[1] * voxels, s[1] * voxels);
        }
        Tensor w5 = scope.tensor(new Shape(s[0], kernel.d(), kernel.h(), kernel.w(), s[1]), moved);
        return new Convolution(w5, scope.tensor(Shape.vector(s[0]), bias.floats()));
    }

    private static float[] channelsLast(float[] x, int offset, int channels, Triple size) {
        int voxels = size.d() * size.h() * size.w();
        float[] y = new float[voxels * channels];
        for (int c = 0; c < channels; c++) {
            for (int v = 0; v < voxels; v++) {
                y[v * channels + c] = x[offset + c * voxels + v];
            }
        }
        return y;
    }

    private static float[] channelsFirst(float[] x, Triple size) {
        int voxels = size.d() * size.h() * size.w();
        int channels = x.length / voxels;
        float[] y = new float[x.length];
        for (int c = 0; c < channels; c++) {
            for (int v = 0; v < voxels; v++) {
                y[c * voxels + v] = x[v * channels + c];
            }
        }
        return y;
    }

    private static List<Integer> spatial(GoldenTensor x) {
        int[] s = x.shape();
        return List.of(s[s.length - 3], s[s.length - 2], s[s.length - 1]);
    }

    private static Triple triple(List<Integer> sizes) {
        return sizes.size() == 3
                ? new Triple(sizes.get(0), sizes.get(1), sizes.get(2))
                : new Triple(1, sizes.get(0), sizes.get(1));
    }

    private static List<Integer> ints(JsonNode array) {
        return StreamSupport.stream(array.spliterator(), false)
                .map(JsonNode::asInt)
                .toList();
    }
}
