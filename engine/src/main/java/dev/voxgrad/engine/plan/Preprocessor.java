package dev.voxgrad.engine.plan;

import dev.voxgrad.engine.DataException;
import dev.voxgrad.engine.op.Triple;
import dev.voxgrad.engine.tensor.Device;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Brings cases into the form that the network sees, in nnU-Net's order: crop to the non-zero region, normalise, resample. The same
 * steps run before training and before prediction. Used by the device's thread only.
 */
public final class Preprocessor {
    private static final short OUTSIDE = -1;

    private final Plan plan;
    private final Device device;

    /** A preprocessor for a plan; the device does the resampling. */
    public Preprocessor(Plan plan, Device device) {
        this.plan = plan;
        this.device = device;
    }

    /**
     * A case as it was read.
     *
     * @param id of the case
     * @param channels values [z][y][x] of each channel; they may be changed
     * @param size voxels of each channel
     * @param spacingMm z, y, x
     * @param labels [z][y][x], empty for prediction
     */
    record Source(String id, List<float[]> channels, Triple size, List<Double> spacingMm, Optional<short[]> labels) {}

    /** Prepares one case. */
    PreparedCase prepare(Source source) {
        boolean[] nonzero = NonzeroMask.of(source.channels(), source.size());
        CropBox crop = CropBox.around(nonzero, source.size());
        Triple cropped = crop.size();
        short[] labels = crop.cut(outsideMarked(source, nonzero), source.size());
        boolean[] inside = new boolean[labels.length];
        for (int i = 0; i < labels.length; i++) {
            inside[i] = labels[i] >= 0;
        }
        List<Double> target = targetSpacing(source.spacingMm());
        Triple size = Resampler.targetSize(cropped, source.spacingMm(), target);
        requireIndexable(source.id(), size, target);
        OptionalInt separate = Resampler.separateAxis(source.spacingMm(), target);
        List<float[]> channels = new ArrayList<>();
        for (int c = 0; c < source.channels().size(); c++) {
            float[] x = crop.cut(source.channels().get(c), source.size());
            Normalization.of(plan.normalization().get(c)).apply(x, inside);
            channels.add(Resampler.image(device, x, cropped, size, separate));
        }
        boolean labelled = source.labels().isPresent();
        short[] resampled = labelled ? Resampler.labels(labels, cropped, size, separate) : new short[0];
        return new PreparedCase(
                source.id(),
                size,
                channels.size(),
                interleave(channels),
                bytes(resampled),
                target,
                crop,
                source.size(),
                source.spacingMm(),
                labelled ? Locations.choose(resampled, plan.labelNames()) : Map.of());
    }

    /** Labels with -1 where there is neither a label nor data. */
    private static short[] outsideMarked(Source source, boolean[] nonzero) {
        short[] labels = source.labels().map(short[]::clone).orElseGet(() -> new short[nonzero.length]);
        for (int i = 0; i < labels.length; i++) {
            if (labels[i] == 0 && !nonzero[i]) {
                labels[i] = OUTSIDE;
            }
        }
        return labels;
    }

    /** The plan's spacing; slices of a 2D network keep their distance. */
    private List<Double> targetSpacing(List<Double> spacingMm) {
        return plan.patch().d() == 1
                ? List.of(spacingMm.get(0), plan.spacingMm().get(1), plan.spacingMm().get(2))
                : plan.spacingMm();
    }

    private void requireIndexable(String id, Triple size, List<Double> target) {
        double elements = (double) size.d() * size.h() * size.w() * plan.channelNames().size();
        if (elements > Integer.MAX_VALUE - 8) {
            throw new DataException(id + ": at the plan's spacing " + target + " mm the case has " + size
                    + " voxels, more than can be held; use a coarser spacingMm");
        }
    }

    private static float[] interleave(List<float[]> channels) {
        if (channels.size() == 1) {
            return channels.getFirst();
        }
        int count = channels.size();
        float[] image = new float[channels.getFirst().length * count];
        for (int c = 0; c < count; c++) {
            float[] x = channels.get(c);
            for (int i = 0; i < x.length; i++) {
                image[i * count + c] = x[i];
            }
        }
        return image;
    }

    private static byte[] bytes(short[] labels) {
        byte[] result = new byte[labels.length];
        for (int i = 0; i < labels.length; i++) {
            result[i] = (byte) Math.max(0, labels[i]);
        }
        return result;
    }
}
