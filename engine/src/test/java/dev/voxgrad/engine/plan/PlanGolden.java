package dev.voxgrad.engine.plan;

import static org.assertj.core.api.Assertions.assertThat;

import dev.voxgrad.engine.op.Triple;
import dev.voxgrad.golden.Golden;
import dev.voxgrad.golden.GoldenCase;
import dev.voxgrad.golden.GoldenTensor;
import dev.voxgrad.golden.Tolerance;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;
import tools.jackson.databind.JsonNode;

/** Golden handlers of planning and preprocessing. */
public final class PlanGolden {
    private PlanGolden() {}

    /** By group of the manifest. */
    public static Map<String, Golden.Handler> handlers() {
        return Map.of(
                "rng", PlanGolden::rng,
                "splits", PlanGolden::splits,
                "crop", PlanGolden::crop,
                "resample", ResampleGolden::check,
                "integrity", IntegrityGolden::check);
    }

    private static void rng(GoldenCase golden) {
        long seed = golden.params().get("seed").asLong();
        JsonNode expect = golden.expect();
        LegacyRandom raw = new LegacyRandom(seed);
        expect.get("raw_uint32")
                .forEach(n -> assertThat(Integer.toUnsignedLong(raw.next())).isEqualTo(n.asLong()));
        assertThat(new LegacyRandom(seed).permutation(23)).containsExactly(ints(expect.get("shuffle_arange23")));
        LegacyRandom uniform = new LegacyRandom(seed);
        expect.get("random_sample").forEach(n -> assertThat(uniform.uniform()).isEqualTo(n.asDouble()));
        assertThat(new LegacyRandom(seed).permutation(17)).startsWith(ints(expect.get("choice17_9_noreplace")));
        assertThat(new LegacyRandom(seed).permutation(70001)).startsWith(ints(expect.get("choice70001_5_noreplace")));
        LegacyRandom bounded = new LegacyRandom(seed);
        expect.get("choice1000_12_replace")
                .forEach(n -> assertThat(bounded.bounded(999)).isEqualTo(n.asInt()));
        LegacyRandom normal = new LegacyRandom(seed);
        expect.get("standard_normal").forEach(n -> assertThat(normal.normal()).isEqualTo(n.asDouble()));
    }

    private static void splits(GoldenCase golden) {
        JsonNode params = golden.params();
        JsonNode expect = golden.expect();
        List<String> identifiers = texts(params.get(params.has("unsorted") ? "unsorted" : "identifiers"));
        if (params.has("fold")) {
            Splits.Fold fold = Splits.random(identifiers, params.get("fold").asInt());
            assertThat(fold.train()).isEqualTo(texts(expect.get("train_in_order")));
            assertThat(fold.val()).isEqualTo(texts(expect.get("val")));
            return;
        }
        List<Splits.Fold> folds = Splits.crossValidation(
                identifiers, params.get("n_splits").asInt(), params.get("seed").asInt());
        assertThat(folds).hasSize(expect.get("splits").size());
        for (int f = 0; f < folds.size(); f++) {
            assertThat(folds.get(f).train())
                    .isEqualTo(texts(expect.get("splits").get(f).get("train")));
            assertThat(folds.get(f).val())
                    .isEqualTo(texts(expect.get("splits").get(f).get("val")));
        }
    }

    private static void crop(GoldenCase golden) {
        GoldenTensor image = golden.tensor("inputs/image");
        int[] s = image.shape();
        Triple size = new Triple(s[1], s[2], s[3]);
        int voxels = s[1] * s[2] * s[3];
        List<float[]> channels = new ArrayList<>();
        for (int c = 0; c < s[0]; c++) {
            channels.add(Arrays.copyOfRange(image.floats(), c * voxels, (c + 1) * voxels));
        }
        boolean[] mask = NonzeroMask.of(channels, size);
        golden.check(
                "outputs/mask",
                IntStream.range(0, voxels).map(i -> mask[i] ? 1 : 0).toArray());
        CropBox box = CropBox.around(mask, size);
        JsonNode expected = golden.expect().get("bbox");
        assertThat(new int[][] {
                    {box.from().d(), box.to().d()},
                    {box.from().h(), box.to().h()},
                    {box.from().w(), box.to().w()}
                })
                .isDeepEqualTo(new int[][] {ints(expected.get(0)), ints(expected.get(1)), ints(expected.get(2))});
        double[] cut = channels.stream()
                .flatMapToDouble(c -> doubles(box.cut(c, size)))
                .toArray();
        golden.check("outputs/image", golden.tensor("outputs/image"), cut, Tolerance.EXACT);
        golden.check("outputs/seg", labels(golden, mask, box, size, Optional.of(shorts(golden.tensor("inputs/seg")))));
        golden.check("outputs/seg_when_none_given", labels(golden, mask, box, size, Optional.empty()));
    }

    private static int[] labels(GoldenCase golden, boolean[] mask, CropBox box, Triple size, Optional<short[]> labels) {
        short[] marked = Preprocessor.outsideMarked(labels, mask);
        short[] cut = box.cut(marked, size);
        assertThat(cut).as(golden.name()).isNotEmpty();
        return IntStream.range(0, cut.length).map(i -> cut[i]).toArray();
    }

    private static DoubleStream doubles(float[] x) {
        return IntStream.range(0, x.length).mapToDouble(i -> x[i]);
    }

    private static short[] shorts(GoldenTensor x) {
        short[] result = new short[x.values().length];
        for (int i = 0; i < result.length; i++) {
            result[i] = (short) x.values()[i];
        }
        return result;
    }

    private static int[] ints(JsonNode array) {
        return StreamSupport.stream(array.spliterator(), false)
                .mapToInt(JsonNode::asInt)
                .toArray();
    }

    private static List<String> texts(JsonNode array) {
        return StreamSupport.stream(array.spliterator(), false)
                .map(JsonNode::asString)
                .toList();
    }
}
