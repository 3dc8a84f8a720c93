package dev.voxgrad.engine.plan;

import dev.voxgrad.engine.nn.NetworkSpec;
import dev.voxgrad.engine.nn.Networks;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** Small valid plans for tests. */
public final class Plans {
    private Plans() {}

    /** A plan for one channel and the labels background, a, b at 1 mm with patches of 8 voxels. */
    public static Plan small(String... normalization) {
        return of(List.of(1.0, 1.0, 1.0), List.of(8, 8, 8), labels("a", "b"), normalization);
    }

    /** A plan with these sizes and a network of two stages. */
    public static Plan of(
            List<Double> spacingMm, List<Integer> patch, Map<String, Integer> labels, String... normalization) {
        int dim = patch.get(0) == 1 ? 2 : 3;
        NetworkSpec network = Networks.plainUNet(
                normalization.length,
                new LabelNames(labels).classes(),
                List.of(4, 8),
                Networks.cubes(dim, 3, 2),
                Networks.halvings(dim, 2),
                true);
        List<String> names =
                IntStream.range(0, normalization.length).mapToObj(i -> "c" + i).toList();
        return new Plan(
                1,
                "test",
                names,
                List.of(normalization),
                labels,
                spacingMm,
                patch,
                2,
                network,
                Training.standard(),
                Outputs.SOFTMAX,
                List.of());
    }

    /** Background 0, then the names from 1. */
    public static Map<String, Integer> labels(String... names) {
        Map<String, Integer> labels = new LinkedHashMap<>(Map.of("background", 0));
        for (String name : names) {
            labels.put(name, labels.size());
        }
        return labels;
    }
}
