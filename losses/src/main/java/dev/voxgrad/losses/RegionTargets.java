package dev.voxgrad.losses;

import dev.voxgrad.engine.DataException;
import dev.voxgrad.engine.op.Regions;
import dev.voxgrad.engine.op.SegLoss;
import dev.voxgrad.engine.tensor.Labels;
import dev.voxgrad.engine.tensor.Scope;
import dev.voxgrad.engine.tensor.Shape;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.IntStream;

/**
 * Class labels as the targets that a {@link TensorTerm} takes. The passes of the other terms read class labels themselves.
 *
 * @param targets 0/1 bytes [N,D,H,W,C]
 * @param mask 0/1 bytes [N,D,H,W,1], 0 where the label says to ignore; empty when no voxel does
 */
record RegionTargets(Labels targets, Optional<Labels> mask) {
    /** Labels are bytes. */
    private static final int LABELS = 256;

    /**
     * Splits class labels [N,D,H,W,1] into channels.
     *
     * @param ignoreLabel label of voxels that do not count
     * @throws DataException when a label is above all regions and not the one to ignore
     */
    static RegionTargets of(Regions regions, Scope scope, Labels classLabels, OptionalInt ignoreLabel) {
        int channels = regions.labels().size();
        Shape shape = classLabels.shape();
        Labels targets = scope.labels(shape.withChannels(channels));
        Optional<Labels> mask = ignoreLabel.isPresent() ? Optional.of(scope.labels(shape)) : Optional.empty();
        byte[][] rows = rows(regions);
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
                            ? "neither 0 to " + regions.highestLabel() + " nor the ignore label "
                                    + ignoreLabel.getAsInt()
                            : "not one of 0 to " + regions.highestLabel());
        }
        return new RegionTargets(targets, mask.filter(some -> split.ignored.sum() > 0));
    }

    /** For each label the channels' targets; empty for a label that must not occur. */
    private static byte[][] rows(Regions regions) {
        byte[][] rows = new byte[LABELS][0];
        for (int label = 0; label <= regions.highestLabel(); label++) {
            rows[label] = new byte[regions.labels().size()];
            for (int channel = 0; channel < regions.labels().size(); channel++) {
                rows[label][channel] = (byte) (regions.labels().get(channel).contains(label) ? 1 : 0);
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
