package dev.voxgrad.losses;

import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.DataException;
import dev.voxgrad.engine.tensor.Labels;
import dev.voxgrad.engine.tensor.Scope;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
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

    /**
     * Targets of a sigmoid loss.
     *
     * @param targets 0/1 bytes [N,D,H,W,C]
     * @param mask 0/1 bytes [N,D,H,W,1], 0 where the label says to ignore; empty when no voxel does
     */
    record Targets(Labels targets, Optional<Labels> mask) {}

    /**
     * Splits class labels [N,D,H,W,1] into channels.
     *
     * @param ignoreLabel label of voxels that do not count
     * @throws DataException when a label is above all regions and not the one to ignore
     */
    Targets targets(Scope scope, Labels classLabels, OptionalInt ignoreLabel) {
        byte[] classes = classLabels.toArray();
        int channels = labels.size();
        byte[] targets = new byte[Math.multiplyExact(classes.length, channels)];
        byte[] mask = new byte[classes.length];
        byte[][] rows = rows();
        int ignored = 0;
        long bad = 0;
        int firstBad = 0;
        for (int voxel = 0; voxel < classes.length; voxel++) {
            int label = Byte.toUnsignedInt(classes[voxel]);
            if (ignoreLabel.isPresent() && label == ignoreLabel.getAsInt()) {
                ignored++;
            } else if (rows[label].length > 0) {
                mask[voxel] = 1;
                System.arraycopy(rows[label], 0, targets, voxel * channels, channels);
            } else if (bad++ == 0) {
                firstBad = label;
            }
        }
        if (bad > 0) {
            throw new DataException("loss: " + bad + " voxels have a label that is neither 0 to " + highestLabel()
                    + " nor the ignore label, the first one is " + firstBad
                    + "; check the label files and the labels of dataset.json");
        }
        return new Targets(
                scope.labels(classLabels.shape().withChannels(channels), targets),
                ignored == 0 ? Optional.empty() : Optional.of(scope.labels(classLabels.shape(), mask)));
    }

    /** For each label the channels' targets; empty for a label that must not occur. */
    private byte[][] rows() {
        byte[][] rows = new byte[LABELS][0];
        for (int label = 0; label <= highestLabel(); label++) {
            rows[label] = new byte[labels.size()];
            for (int channel = 0; channel < labels.size(); channel++) {
                rows[label][channel] = (byte) (labels.get(channel).contains(label) ? 1 : 0);
            }
        }
        return rows;
    }
}
