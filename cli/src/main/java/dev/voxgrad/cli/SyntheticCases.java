package dev.voxgrad.cli;

import dev.voxgrad.engine.augment.CounterRandom;
import dev.voxgrad.engine.image.Geometry;
import dev.voxgrad.engine.op.Triple;
import dev.voxgrad.engine.plan.CropBox;
import dev.voxgrad.engine.plan.Plan;
import dev.voxgrad.engine.plan.PreparedCase;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** Cases of noise for a plan, a quarter larger than its patch; every label is there. What a training does to them takes as long as real ones. */
final class SyntheticCases {
    private static final int COUNT = 2;
    private static final long SEED = 1;

    private SyntheticCases() {}

    static List<PreparedCase> of(Plan plan) {
        List<PreparedCase> cases = new ArrayList<>();
        for (int i = 0; i < COUNT; i++) {
            cases.add(noise("noise" + i, plan, CounterRandom.of(SEED, "noise", i)));
        }
        return cases;
    }

    private static PreparedCase noise(String id, Plan plan, CounterRandom random) {
        Triple patch = plan.patch();
        Triple size = new Triple(larger(patch.d()), larger(patch.h()), larger(patch.w()));
        int voxels = size.d() * size.h() * size.w();
        int channels = plan.channelNames().size();
        float[] image = new float[voxels * channels];
        for (int i = 0; i < image.length; i++) {
            image[i] = (float) random.normal();
        }
        List<Integer> values = List.copyOf(plan.labels().values());
        byte[] labels = new byte[voxels];
        for (int i = 0; i < voxels; i++) {
            int column = i % size.w();
            labels[i] = values.get(column * values.size() / size.w()).byteValue();
        }
        return new PreparedCase(
                id,
                size,
                channels,
                image,
                labels,
                plan.spacingMm(),
                CropBox.all(size),
                size,
                Geometry.ofSpacing(1, 1, 1),
                locations(labels, values));
    }

    private static int larger(int n) {
        return n == 1 ? 1 : n + n / 4;
    }

    private static Map<Integer, int[]> locations(byte[] labels, List<Integer> values) {
        Map<Integer, int[]> locations = new LinkedHashMap<>();
        for (int value : values) {
            if (value != 0) {
                locations.put(
                        value,
                        IntStream.range(0, labels.length)
                                .filter(v -> Byte.toUnsignedInt(labels[v]) == value)
                                .limit(10_000) // as many as a real case keeps
                                .toArray());
            }
        }
        return locations;
    }
}
