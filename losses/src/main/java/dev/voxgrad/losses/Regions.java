package dev.voxgrad.losses;

import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.DataException;
import dev.voxgrad.engine.op.SegLoss;
import dev.voxgrad.engine.tensor.Labels;
import dev.voxgrad.engine.tensor.Scope;
import dev.voxgrad.engine.tensor.Shape;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.atomic.LongAdder;
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
        int channels = labels.size();
        Shape shape = classLabels.shape();
        Labels targets = scope.labels(shape.withChannels(channels));
        Optional<Labels> mask = ignoreLabel.isPresent() ? Optional.of(scope.labels(shape)) : Optional.empty();
        byte[][] rows = rows();
        Split split = new Split(classLabels, targets, mask, channels);
        split.run(rows, ignoreLabel.orElse(-1));
        if (split.bad.sum() > 0) {
            byte[] values = classLabels.toArray();
            int first = IntStream.range(0, values.length)
                    .map(voxel -> Byte.toUnsignedInt(values[voxel]))
                    .filter(label -> rows[label].length == 0 && label != ignoreLabel.orElse(-1))
                    .findFirst()
                    .orElseThrow();
            throw SegLoss.wrongLabels(
                    split.bad.sum(),
                    first,
                    ignoreLabel.isPresent()
                            ? "neither 0 to " + highestLabel() + " nor the ignore label " + ignoreLabel.getAsInt()
                            : "not one of 0 to " + highestLabel());
        }
        return new Targets(targets, mask.filter(labels -> split.ignored.sum() > 0));
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

    /** One run over a map of class labels, block by block through small arrays, which is what Java does fast. */
    private static final class Split {
        private static final int BLOCK = 16384;

        private final Labels classLabels;
        private final Labels targets;
        private final Optional<Labels> mask;
        private final int channels;
        private final LongAdder ignored = new LongAdder();
        private final LongAdder bad = new LongAdder();

        Split(Labels classLabels, Labels targets, Optional<Labels> mask, int channels) {
            this.classLabels = classLabels;
            this.targets = targets;
            this.mask = mask;
            this.channels = channels;
        }

        void run(byte[][] rows, int ignoreLabel) {
            long count = classLabels.shape().elements();
            MemorySegment from =
                    classLabels.hostMemory() ? classLabels.data() : MemorySegment.ofArray(classLabels.toArray());
            MemorySegment to = host(targets);
            Optional<MemorySegment> counts = mask.map(Split::host);
            int blocks = Math.toIntExact((count + BLOCK - 1) / BLOCK);
            classLabels.device().forEachBlock(blocks, block -> {
                long start = (long) block * BLOCK;
                byte[] label = new byte[(int) Math.min(BLOCK, count - start)];
                MemorySegment.copy(from, ValueLayout.JAVA_BYTE, start, label, 0, label.length);
                byte[] target = new byte[label.length * channels];
                byte[] counted = new byte[label.length];
                split(label, rows, ignoreLabel, target, counted);
                MemorySegment.copy(target, 0, to, ValueLayout.JAVA_BYTE, start * channels, target.length);
                counts.ifPresent(c -> MemorySegment.copy(counted, 0, c, ValueLayout.JAVA_BYTE, start, counted.length));
            });
            upload(targets, to);
            mask.ifPresent(labels -> upload(labels, counts.orElseThrow()));
        }

        /** Memory that Java can write: that of the labels, or an array that travels to them when it is full. */
        private static MemorySegment host(Labels labels) {
            return labels.hostMemory()
                    ? labels.data()
                    : MemorySegment.ofArray(
                            new byte[Math.toIntExact(labels.shape().elements())]);
        }

        private static void upload(Labels labels, MemorySegment values) {
            if (!labels.hostMemory()) {
                labels.set(values.toArray(ValueLayout.JAVA_BYTE));
            }
        }

        private void split(byte[] labels, byte[][] rows, int ignoreLabel, byte[] target, byte[] counted) {
            int others = 0;
            int wrong = 0;
            for (int voxel = 0; voxel < labels.length; voxel++) {
                int label = Byte.toUnsignedInt(labels[voxel]);
                byte[] row = rows[label];
                if (label == ignoreLabel) {
                    others++;
                } else if (row.length == 0) {
                    wrong++;
                } else {
                    counted[voxel] = 1;
                    for (int channel = 0; channel < row.length; channel++) {
                        target[voxel * row.length + channel] = row[channel];
                    }
                }
            }
            ignored.add(others);
            bad.add(wrong);
        }
    }
}
