package dev.voxgrad.engine.plan;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Stages of a U-Net for a patch, by nnU-Net's rules: axes are halved while they keep at least 4 voxels, coarse axes wait until the
 * others have caught up with them.
 *
 * @param strides of each stage
 * @param kernels of each stage
 * @param patch raised to multiples of the divisor
 * @param divisor product of the strides per axis
 */
record Topology(List<List<Integer>> strides, List<List<Integer>> kernels, int[] patch, int[] divisor) {
    private static final int SMALLEST_EDGE = 4;

    /** Of two spacings this far apart the finer one is pooled alone. */
    private static final double SIMILAR = 2;

    static Topology of(double[] spacingMm, double[] patch) {
        int axes = patch.length;
        double[] s = spacingMm.clone();
        double[] n = patch.clone();
        Integer[] kernel = new Integer[axes];
        Integer[] stride = new Integer[axes];
        Arrays.fill(kernel, 1);
        Arrays.fill(stride, 1);
        int[] divisor = new int[axes];
        Arrays.fill(divisor, 1);
        List<List<Integer>> strides = new ArrayList<>(List.of(List.of(stride)));
        List<List<Integer>> kernels = new ArrayList<>();
        while (true) {
            int[] large = IntStream.range(0, axes)
                    .filter(a -> n[a] >= 2 * SMALLEST_EDGE)
                    .toArray();
            if (large.length == 0) {
                break;
            }
            double finest = Arrays.stream(large).mapToDouble(a -> s[a]).min().orElseThrow();
            int[] pooled =
                    Arrays.stream(large).filter(a -> s[a] / finest < SIMILAR).toArray();
            if (pooled.length == 1 && n[pooled[0]] < 3 * SMALLEST_EDGE) {
                break;
            }
            double smallest = Arrays.stream(s).min().orElseThrow();
            Arrays.fill(stride, 1);
            for (int a = 0; a < axes; a++) {
                kernel[a] = kernel[a] == 3 || s[a] / smallest < SIMILAR ? 3 : 1;
            }
            for (int a : pooled) {
                stride[a] = 2;
                divisor[a] *= 2;
                s[a] *= 2;
                n[a] = Math.ceil(n[a] / 2);
            }
            strides.add(List.of(stride));
            kernels.add(List.of(kernel));
        }
        kernels.add(Collections.nCopies(axes, 3));
        int[] padded = IntStream.range(0, axes)
                .map(a -> (int) Math.ceil(patch[a] / divisor[a]) * divisor[a])
                .toArray();
        return new Topology(strides, kernels, padded, divisor);
    }

    /** Features of each stage: doubled from 32 up to a limit. */
    List<Integer> features() {
        int limit = patch.length == 3 ? 320 : 512;
        return IntStream.range(0, strides.size())
                .map(i -> (int) Math.min(limit, 32L << Math.min(i, 5)))
                .boxed()
                .toList();
    }

    /** Voxels times features of one sample over all feature maps of a plain U-Net: nnU-Net's measure of memory. */
    long estimate(int labels) {
        int[] size = patch.clone();
        long total = 0;
        for (int stage = 0; stage < strides.size(); stage++) {
            long voxels = 1;
            for (int a = 0; a < size.length; a++) {
                size[a] /= strides.get(stage).get(a);
                voxels *= size[a];
            }
            boolean bottleneck = stage == strides.size() - 1;
            // Two convolutions down; two and the transposed one up.
            total += voxels * features().get(stage) * (bottleneck ? 2 : 5) + (stage == 0 ? voxels * labels : 0);
        }
        return total;
    }

    long patchVoxels() {
        return Arrays.stream(patch).asLongStream().reduce(1, (a, b) -> a * b);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Topology t
                && strides.equals(t.strides)
                && kernels.equals(t.kernels)
                && Arrays.equals(patch, t.patch)
                && Arrays.equals(divisor, t.divisor);
    }

    @Override
    public int hashCode() {
        return strides.hashCode() + 31 * Arrays.hashCode(patch);
    }

    @Override
    public String toString() {
        return "Topology patch " + Arrays.toString(patch) + " strides " + strides + " kernels " + kernels;
    }
}
