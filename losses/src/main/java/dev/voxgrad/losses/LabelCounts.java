package dev.voxgrad.losses;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/**
 * How often classes occur in a set of label maps, and the class weights that follow. An image is what the network is fed with: a
 * volume, or a slice in 2D. Ignored voxels are in none of the counts.
 *
 * @param voxels of each class in all images
 * @param voxelsOfImages for each class, the voxels of those images that contain it
 */
public record LabelCounts(List<Long> voxels, List<Long> voxelsOfImages) {
    /** Makes the lists immutable. */
    public LabelCounts {
        voxels = List.copyOf(voxels);
        voxelsOfImages = List.copyOf(voxelsOfImages);
        if (voxels.size() != voxelsOfImages.size()) {
            throw new IllegalArgumentException(
                    voxels.size() + " classes and " + voxelsOfImages.size() + " numbers of voxels of images");
        }
    }

    /** Every class equally often, so every weight is 1: for reading a text before there are data. */
    public static LabelCounts equal(int classes) {
        List<Long> ones = LongStream.generate(() -> 1).limit(classes).boxed().toList();
        return new LabelCounts(ones, ones);
    }

    /**
     * Counts the labels of some images.
     *
     * @param images class labels, unsigned bytes; a label that is no class is ignored
     */
    public static LabelCounts of(Iterable<byte[]> images, int classes) {
        long[] voxels = new long[classes];
        long[] voxelsOfImages = new long[classes];
        for (byte[] image : images) {
            long[] here = new long[classes];
            for (byte label : image) {
                int clazz = Byte.toUnsignedInt(label);
                if (clazz < classes) {
                    here[clazz]++;
                }
            }
            long all = Arrays.stream(here).sum();
            for (int c = 0; c < classes; c++) {
                voxels[c] += here[c];
                voxelsOfImages[c] += here[c] > 0 ? all : 0;
            }
        }
        return new LabelCounts(
                Arrays.stream(voxels).boxed().toList(),
                Arrays.stream(voxelsOfImages).boxed().toList());
    }

    /** Number of classes. */
    public int classes() {
        return voxels.size();
    }

    /**
     * Median frequency balancing (Eigen and Fergus 2015). With freq(c) the voxels of c by the voxels of the images that contain c: the
     * median of freq over the classes that occur, divided by freq(c); 0 for a class that does not occur.
     */
    public List<Double> medianFrequencyWeights() {
        double[] sorted = IntStream.range(0, classes())
                .filter(c -> voxels.get(c) > 0)
                .mapToDouble(this::frequency)
                .sorted()
                .toArray();
        if (sorted.length == 0) {
            return IntStream.range(0, classes()).mapToObj(c -> 0.0).toList();
        }
        double median = (sorted[(sorted.length - 1) / 2] + sorted[sorted.length / 2]) / 2;
        return IntStream.range(0, classes())
                .mapToObj(c -> voxels.get(c) == 0 ? 0 : median / frequency(c))
                .toList();
    }

    private double frequency(int clazz) {
        return (double) voxels.get(clazz) / voxelsOfImages.get(clazz);
    }

    /** All voxels divided by (number of classes times voxels of the class); 0 for a class that does not occur. */
    public List<Double> inverseFrequencyWeights() {
        double all = voxels.stream().mapToLong(v -> v).sum();
        return voxels.stream()
                .map(v -> v == 0 ? 0 : all / ((double) classes() * v))
                .toList();
    }
}
