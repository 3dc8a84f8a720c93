package dev.voxgrad.engine.infer;

import dev.voxgrad.engine.DataException;
import dev.voxgrad.engine.op.Triple;
import dev.voxgrad.engine.plan.CropBox;
import dev.voxgrad.engine.plan.Outputs;
import java.util.Arrays;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * Probabilities and uncertainty on the grid of the source, from the planes that {@link LabelExport} resizes, so a mask and its maps say
 * the same. Outside the crop box it is certain that there is background. Holds what was asked for: one float per voxel for uncertainty,
 * one per voxel and channel for probabilities.
 */
final class ProbabilityExport implements PlaneSink {
    private static final int MOST_VALUES = Integer.MAX_VALUE - 8; // what a JVM allows for an array

    private final Triple volume;
    private final CropBox crop;
    private final Outputs outputs;
    private final Optional<Uncertainty> uncertainty;
    private final boolean probabilities;
    private float[] channels = {}; // [channel][z][y][x]
    private float[] map = {};

    /**
     * An export of one case.
     *
     * @param volume size of the source
     * @param crop box of the source that the planes stand for
     * @param outputs what the channels of the logits stand for
     * @param uncertainty the map that is wanted
     * @param probabilities whether they are wanted
     */
    ProbabilityExport(
            Triple volume, CropBox crop, Outputs outputs, Optional<Uncertainty> uncertainty, boolean probabilities) {
        this.volume = volume;
        this.crop = crop;
        this.outputs = outputs;
        this.uncertainty = uncertainty;
        this.probabilities = probabilities;
    }

    /** Takes plane z of the crop box, [y][x][channel] of its size. */
    @Override
    public void accept(int z, float[] logits) {
        Triple box = crop.size();
        int count = logits.length / (box.h() * box.w());
        if (z == 0) {
            begin(count);
        }
        float[] p = new float[logits.length];
        IntStream.range(0, box.h()).parallel().forEach(y -> {
            for (int i = y * box.w() * count; i < (y + 1) * box.w() * count; i += count) {
                probabilities(logits, p, i, count);
            }
        });
        if (probabilities) {
            for (int c = 0; c < count; c++) {
                int channel = c;
                paste(z, channels, c * volume.d(), voxel -> p[voxel * count + channel]);
            }
        }
        uncertainty.ifPresent(kind -> {
            float[] plane = uncertainty(kind, p, count);
            paste(z, map, 0, voxel -> plane[voxel]);
        });
    }

    private void begin(int count) {
        float[] background = new float[count];
        if (outputs == Outputs.SOFTMAX) {
            background[0] = 1;
        }
        int voxels = volume.d() * volume.h() * volume.w();
        if (probabilities) {
            if ((long) count * voxels > MOST_VALUES) {
                throw new DataException("probabilities of " + count + " channels of " + volume
                        + " voxels do not fit into one array; predict without them");
            }
            channels = new float[count * voxels];
            for (int c = 0; c < count; c++) {
                Arrays.fill(channels, c * voxels, (c + 1) * voxels, background[c]);
            }
        }
        uncertainty.ifPresent(kind -> {
            map = new float[voxels];
            Arrays.fill(map, uncertainty(kind, background, count)[0]);
        });
    }

    private void probabilities(float[] logits, float[] p, int from, int count) {
        if (outputs == Outputs.SIGMOID) {
            for (int i = from; i < from + count; i++) {
                p[i] = (float) (1 / (1 + Math.exp(-logits[i])));
            }
            return;
        }
        double most = Double.NEGATIVE_INFINITY;
        for (int i = from; i < from + count; i++) {
            most = Math.max(most, logits[i]);
        }
        double sum = 0;
        for (int i = from; i < from + count; i++) {
            sum += Math.exp(logits[i] - most);
        }
        for (int i = from; i < from + count; i++) {
            p[i] = (float) (Math.exp(logits[i] - most) / sum);
        }
    }

    /** Channels of a sigmoid need not add up to 1; the largest one decides, as it does for the label. */
    private float[] uncertainty(Uncertainty kind, float[] p, int count) {
        if (outputs == Outputs.SOFTMAX || count == 1) {
            return kind.of(p, count);
        }
        float[] largest = new float[p.length / count];
        for (int i = 0; i < p.length; i++) {
            largest[i / count] = Math.max(largest[i / count], p[i]);
        }
        return kind.of(largest, 1);
    }

    @FunctionalInterface
    private interface Plane {
        float at(int voxel);
    }

    /** Writes a plane of the crop box; {@code firstPlane} is that of the channel. */
    private void paste(int z, float[] target, int firstPlane, Plane plane) {
        Triple box = crop.size();
        Triple low = crop.from();
        for (int y = 0; y < box.h(); y++) {
            int row = ((firstPlane + z + low.d()) * volume.h() + y + low.h()) * volume.w() + low.w();
            for (int x = 0; x < box.w(); x++) {
                target[row + x] = plane.at(y * box.w() + x);
            }
        }
    }

    /** [channel][z][y][x]; no elements if they were not wanted. */
    float[] probabilities() {
        return channels;
    }

    /** [z][y][x]; no elements if it was not wanted. */
    float[] uncertainty() {
        return map;
    }
}
