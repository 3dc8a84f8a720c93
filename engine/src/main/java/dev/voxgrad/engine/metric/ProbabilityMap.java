package dev.voxgrad.engine.metric;

import dev.voxgrad.engine.DataException;
import dev.voxgrad.engine.Safetensors;
import dev.voxgrad.engine.image.Grid;
import dev.voxgrad.engine.image.NiftiReader;
import dev.voxgrad.engine.plan.LabelNames;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;

/**
 * The probabilities of every class for every voxel: a NIfTI file with one channel per class, or a safetensors file with one tensor
 * [class, z, y, x]. A file with a single channel holds the foreground of a task with one foreground label. For a task with regions the
 * channels are the regions, which need not add up to 1.
 */
final class ProbabilityMap {
    /** Half precision probabilities of 64 classes add up to 1 within this. */
    private static final double SUM_TOLERANCE = 0.02;

    private final List<float[]> channels;
    private final List<Set<Integer>> regions; // of the channels; none where they are classes

    private ProbabilityMap(List<float[]> channels, List<Set<Integer>> regions) {
        this.channels = channels;
        this.regions = regions;
    }

    /**
     * Reads and checks a file.
     *
     * @throws DataException for another shape, and for numbers that are no probabilities
     */
    static ProbabilityMap read(Path file, LabelNames names, Grid grid) {
        List<float[]> channels = file.toString().endsWith(".safetensors") ? safetensors(file, grid) : nifti(file, grid);
        if (names.hasRegions()) {
            if (channels.size() != names.regions().size()) {
                throw new DataException(file + ": holds " + channels.size() + " channels of probabilities; there are "
                        + names.regions().size() + " regions");
            }
            check(file, channels, false);
            return new ProbabilityMap(
                    channels,
                    names.regions().stream()
                            .map(region -> Set.copyOf(region.labels()))
                            .toList());
        }
        int classes = names.classes();
        if (channels.size() == 1 && classes == 2) {
            float[] background = new float[grid.voxels()];
            float[] foreground = channels.getFirst();
            for (int i = 0; i < background.length; i++) {
                background[i] = 1 - foreground[i];
            }
            channels = List.of(background, foreground);
        }
        if (channels.size() != classes) {
            throw new DataException(file + ": holds " + channels.size() + " channels of probabilities; the labels need "
                    + classes + ", background first");
        }
        check(file, channels, true);
        return new ProbabilityMap(channels, List.of());
    }

    private static List<float[]> nifti(Path file, Grid grid) {
        var volume = NiftiReader.read(file).volume();
        requireGrid(file, volume.grid().sizes(), grid);
        return volume.channels();
    }

    private static List<float[]> safetensors(Path file, Grid grid) {
        try (Safetensors tensors = Safetensors.open(file)) {
            if (tensors.names().size() != 1) {
                throw new DataException(
                        file + ": holds the tensors " + tensors.names() + "; exactly one [class, z, y, x] is expected");
            }
            String name = tensors.names().iterator().next();
            int[] shape =
                    tensors.shape(name).stream().mapToInt(Math::toIntExact).toArray();
            if (shape.length != 4) {
                throw new DataException(file + ": tensor " + name + " has the shape " + Arrays.toString(shape)
                        + "; [class, z, y, x] is expected");
            }
            requireGrid(file, Arrays.copyOfRange(shape, 1, 4), grid);
            float[] all = tensors.f32(name);
            float[][] channels = new float[shape[0]][];
            Arrays.setAll(channels, c -> Arrays.copyOfRange(all, c * grid.voxels(), (c + 1) * grid.voxels()));
            return List.of(channels);
        }
    }

    private static void requireGrid(Path file, int[] sizes, Grid grid) {
        if (!Arrays.equals(sizes, grid.sizes())) {
            throw new DataException(file + ": probabilities of shape " + Arrays.toString(sizes)
                    + " for a reference of shape " + grid + " (z, y, x)");
        }
    }

    private static void check(Path file, List<float[]> channels, boolean exclusive) {
        long outside = 0;
        long sums = 0;
        int voxels = channels.getFirst().length;
        for (int i = 0; i < voxels; i++) {
            double sum = 0;
            for (float[] channel : channels) {
                float p = channel[i];
                outside += p >= 0 && p <= 1 ? 0 : 1;
                sum += p;
            }
            sums += !exclusive || Math.abs(sum - 1) <= SUM_TOLERANCE ? 0 : 1;
        }
        if (outside > 0) {
            throw new DataException(
                    file + ": " + outside + " values are not from 0 to 1; give probabilities, not logits");
        }
        if (sums > 0) {
            throw new DataException(
                    file + ": the probabilities of " + sums + " of " + voxels + " voxels do not add up to 1");
        }
    }

    /** Whether the probability of a region is known: always for classes, for regions that of their own channels. */
    boolean knows(Region region) {
        return regions.isEmpty() || regions.contains(Set.copyOf(region.labels()));
    }

    /** Probability of a region at a voxel, at most 1. */
    double of(Region region, int voxel) {
        if (!regions.isEmpty()) {
            return channels.get(regions.indexOf(Set.copyOf(region.labels())))[voxel];
        }
        double sum = 0;
        for (int label : region.labels()) {
            sum += channels.get(label)[voxel];
        }
        return Math.min(1, sum);
    }

    /** Writes the probabilities of all classes of a voxel. */
    void at(int voxel, float[] classes) {
        for (int c = 0; c < classes.length; c++) {
            classes[c] = channels.get(c)[voxel];
        }
    }
}
