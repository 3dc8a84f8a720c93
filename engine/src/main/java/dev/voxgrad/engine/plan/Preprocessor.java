package dev.voxgrad.engine.plan;

import dev.voxgrad.engine.DataException;
import dev.voxgrad.engine.image.Geometry;
import dev.voxgrad.engine.op.Triple;
import dev.voxgrad.engine.tensor.Device;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;

/**
 * Brings cases into the form that the network sees, in nnU-Net's order: crop to the non-zero region, normalise, resample. The same
 * steps run before training and before prediction. Used by the device's thread only.
 */
public final class Preprocessor {
    private static final short OUTSIDE = -1;

    /** Of the Java heap, for the cases of a training; the rest serves reading, patches and the program. */
    private static final double HEAP_SHARE = 0.7;

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
     * @param geometry its spacing and place
     * @param labels [z][y][x], empty for prediction
     */
    record Source(String id, List<float[]> channels, Triple size, Geometry geometry, Optional<short[]> labels) {
        List<Double> spacingMm() {
            return CaseReader.spacing(geometry);
        }
    }

    /**
     * Reads and prepares one case.
     *
     * @throws DataException with everything that is wrong with its files
     */
    public PreparedCase prepare(Case source) {
        CaseReader reader = new CaseReader(plan.channelNames(), plan.labelNames());
        return prepare(
                reader.read(source).orElseThrow(() -> CaseReader.failure("case " + source.id(), reader.errors())));
    }

    /**
     * Reads and prepares the cases of a training; they stay in memory.
     *
     * @param prepared is told of each case that is ready
     * @throws DataException when files are wrong, or when the cases need more than a share of the heap
     */
    public List<PreparedCase> prepare(List<Case> sources, Consumer<PreparedCase> prepared) {
        long limit = (long) (HEAP_SHARE * Runtime.getRuntime().maxMemory());
        List<PreparedCase> cases = new ArrayList<>();
        long bytes = 0;
        for (Case source : sources) {
            PreparedCase ready = prepare(source);
            cases.add(ready);
            bytes += ready.bytes();
            if (bytes > limit) {
                throw new DataException("the first " + cases.size() + " of " + sources.size() + " prepared cases need "
                        + (bytes >> 20) + " MiB, " + (limit >> 20)
                        + " MiB of the Java heap may be used for them; start Java with a"
                        + " larger heap (-Xmx, about " + ((bytes / cases.size() * sources.size() * 2) >> 20)
                        + " MiB) or plan a coarser spacing");
            }
            prepared.accept(ready);
        }
        return cases;
    }

    /** Prepares a case that was read. */
    PreparedCase prepare(Source source) {
        boolean[] nonzero = NonzeroMask.of(source.channels(), source.size());
        CropBox crop = CropBox.around(nonzero, source.size());
        Triple cropped = crop.size();
        short[] labels = crop.cut(outsideMarked(source.labels(), nonzero), source.size());
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
                source.geometry(),
                labelled ? Locations.choose(resampled, plan.labelNames()) : Map.of());
    }

    /** Labels with -1 where there is neither a label nor data. */
    static short[] outsideMarked(Optional<short[]> given, boolean[] nonzero) {
        short[] labels = given.map(short[]::clone).orElseGet(() -> new short[nonzero.length]);
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
                ? List.of(
                        spacingMm.get(0),
                        plan.spacingMm().get(1),
                        plan.spacingMm().get(2))
                : plan.spacingMm();
    }

    private void requireIndexable(String id, Triple size, List<Double> target) {
        double elements =
                (double) size.d() * size.h() * size.w() * plan.channelNames().size();
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
