package dev.voxgrad.engine.op;

import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.tensor.Labels;
import dev.voxgrad.engine.tensor.Scope;
import dev.voxgrad.engine.tensor.Shape;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * What the channels of a sigmoid loss are in a map of class labels: the union of some labels each. Regions may overlap.
 *
 * @param labels of each channel, none of the sets empty
 */
public record Regions(List<Set<Integer>> labels) {
    /** Labels are bytes. */
    private static final int LABELS = 256;

    /** Checks that every channel has labels that a byte can hold. */
    public Regions {
        labels = labels.stream().map(Set::copyOf).toList();
        for (Set<Integer> region : labels) {
            if (region.isEmpty() || !region.stream().allMatch(label -> label >= 0 && label < LABELS)) {
                throw new ConfigException("the region " + region + " must have labels from 0 to " + (LABELS - 1));
            }
        }
    }

    /** Channel k is label k + 1: every foreground label. */
    public static Regions foreground(int channels) {
        return new Regions(IntStream.range(0, channels)
                .mapToObj(channel -> Set.of(channel + 1))
                .toList());
    }

    /** Channel k is label k: every class, background included, which is what the largest channel of a voxel stands for. */
    public static Regions classes(int channels) {
        return new Regions(IntStream.range(0, channels).mapToObj(Set::of).toList());
    }

    /** The highest label in any region. Labels up to it are legal, whether they are in a region or not. */
    public int highestLabel() {
        return labels.stream()
                .flatMap(Set::stream)
                .mapToInt(label -> label)
                .max()
                .orElse(0);
    }

    /** The end of the longest run of channels from {@code first} on in which no label is in two regions. */
    int endOfDisjoint(int first) {
        Set<Integer> seen = new HashSet<>();
        int end = first;
        while (end < labels.size() && labels.get(end).stream().noneMatch(seen::contains)) {
            seen.addAll(labels.get(end));
            end++;
        }
        return end;
    }

    /** Targets 0/1 of some channels by label: one row for each label up to the highest one. */
    Labels table(Scope scope, int first, int end) {
        int rows = highestLabel() + 1;
        byte[] table = new byte[rows * (end - first)];
        for (int channel = first; channel < end; channel++) {
            for (int label : labels.get(channel)) {
                table[label * (end - first) + channel - first] = 1;
            }
        }
        return scope.labels(new Shape(1, 1, 1, rows, end - first), table);
    }
}
