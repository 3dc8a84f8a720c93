package dev.voxgrad.engine.plan;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The choice of foreground voxels that patches are centred on, equal to nnU-Net's. */
final class Locations {
    private static final int SEED = 1234;
    private static final int ENOUGH = 10_000;
    private static final double SHARE = 0.01;

    private Locations() {}

    /**
     * Chooses voxels per label, or per region numbered from 1.
     *
     * @param labels resampled labels, -1 outside the non-zero region
     */
    static Map<Integer, int[]> choose(short[] labels, LabelNames names) {
        LegacyRandom random = new LegacyRandom(SEED);
        Map<Integer, int[]> result = new LinkedHashMap<>();
        int entry = 0;
        for (LabelRegion region : names.regions()) {
            result.put(++entry, choose(labels, region.labels(), random));
        }
        for (int label : names.hasRegions() ? List.<Integer>of() : names.foreground()) {
            result.put(label, choose(labels, List.of(label), random));
        }
        if (names.ignore().isPresent()) {
            List<Integer> annotated = new ArrayList<>(List.of(-1, 0));
            annotated.addAll(names.foreground());
            result.put(PreparedCase.ANNOTATED, choose(labels, annotated, random));
        }
        return result;
    }

    private static int[] choose(short[] labels, List<Integer> wanted, LegacyRandom random) {
        int[] candidates = new int[1024];
        int n = 0;
        for (int label : wanted) {
            for (int i = 0; i < labels.length; i++) {
                if (labels[i] == label) {
                    candidates = n == candidates.length ? Arrays.copyOf(candidates, 2 * n) : candidates;
                    candidates[n++] = i;
                }
            }
        }
        if (n == 0) {
            return new int[0];
        }
        int[] order = random.permutation(n);
        int[] chosen = new int[Math.max(Math.min(ENOUGH, n), (int) Math.ceil(n * SHARE))];
        for (int i = 0; i < chosen.length; i++) {
            chosen[i] = candidates[order[i]];
        }
        return chosen;
    }
}
