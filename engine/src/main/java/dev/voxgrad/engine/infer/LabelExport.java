package dev.voxgrad.engine.infer;

import dev.voxgrad.engine.ShapeException;
import dev.voxgrad.engine.op.Triple;
import dev.voxgrad.engine.plan.CropBox;
import dev.voxgrad.engine.plan.LabelRule;
import dev.voxgrad.engine.plan.ResampleAxis;
import dev.voxgrad.engine.plan.Resampler;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/**
 * Turns logits into a label map in the geometry of the source, plane by plane: linear interpolation to the size of the cropped case,
 * the label by a {@link LabelRule}, zeros around the crop box. At most two resampled planes of logits are held, never the
 * logits of a volume.
 */
public final class LabelExport implements PlaneSink {
    private final Triple from;
    private final Triple to;
    private final Triple volume;
    private final CropBox crop;
    private final List<ResampleAxis> axes;
    private final LabelRule rule;
    private final byte[] labels; // of the crop box
    private Optional<PlaneSink> next = Optional.empty();
    private float[] before = {};
    private float[] current = {};
    private int received;
    private int written;

    /**
     * An export of one case.
     *
     * @param logits size of the volume of logits
     * @param volume size of the source
     * @param crop box of the source that the logits stand for
     * @param separate axis that takes the nearest plane instead of interpolating, see {@link Resampler#separateAxis}
     * @param rule which label a voxel gets
     */
    public LabelExport(Triple logits, Triple volume, CropBox crop, OptionalInt separate, LabelRule rule) {
        this.from = logits;
        this.to = crop.size();
        this.volume = volume;
        this.crop = crop;
        this.axes = Resampler.linearAxes(from, to, separate);
        this.rule = rule;
        this.labels = new byte[to.d() * to.h() * to.w()];
    }

    /**
     * Also hands every plane of the crop box on, after its labels were found.
     *
     * @param sink gets logits [y][x][class] of the size of the crop box
     */
    void alsoTo(PlaneSink sink) {
        next = Optional.of(sink);
    }

    @Override
    public void accept(int z, float[] logits) {
        if (z != received || logits.length % (from.h() * from.w()) != 0) {
            throw new ShapeException(
                    "plane " + z + " with " + logits.length + " logits came as plane " + received + " of " + from);
        }
        int classes = logits.length / (from.h() * from.w());
        float[] oldest = before;
        before = current;
        current = resizePlane(logits, classes, oldest);
        received++;
        ResampleAxis az = axes.get(0);
        for (; written < to.d() && az.high()[written] <= z; written++) {
            float[] low = az.low()[written] == z ? current : before;
            writePlane(written, low, current, classes);
            if (next.isPresent()) {
                next.get().accept(written, blended(written, low, current));
            }
        }
    }

    /** Resizes a plane in y and x into a buffer that may be reused. */
    private float[] resizePlane(float[] logits, int classes, float[] buffer) {
        int row = to.w() * classes;
        float[] result = buffer.length == to.h() * row ? buffer : new float[to.h() * row];
        if (from.h() == to.h() && from.w() == to.w()) {
            System.arraycopy(logits, 0, result, 0, result.length);
            return result;
        }
        ResampleAxis ay = axes.get(1);
        ResampleAxis ax = axes.get(2);
        IntStream.range(0, to.h()).parallel().forEach(y -> {
            int y0 = ay.low()[y] * from.w();
            int y1 = ay.high()[y] * from.w();
            double wy = ay.weight()[y];
            for (int x = 0; x < to.w(); x++) {
                int x0 = ax.low()[x];
                int x1 = ax.high()[x];
                double wx = ax.weight()[x];
                double w00 = wy * wx;
                double w01 = wy * (1 - wx);
                double w10 = (1 - wy) * wx;
                double w11 = (1 - wy) * (1 - wx);
                for (int c = 0; c < classes; c++) {
                    result[y * row + x * classes + c] = (float) (logits[(y0 + x0) * classes + c] * w00
                            + logits[(y0 + x1) * classes + c] * w01
                            + logits[(y1 + x0) * classes + c] * w10
                            + logits[(y1 + x1) * classes + c] * w11);
                }
            }
        });
        return result;
    }

    private float[] blended(int z, float[] low, float[] high) {
        if (axes.get(0).low()[z] == axes.get(0).high()[z]) {
            return low;
        }
        float wz = (float) axes.get(0).weight()[z];
        float[] plane = new float[low.length];
        for (int i = 0; i < plane.length; i++) {
            plane[i] = low[i] * wz + high[i] * (1 - wz);
        }
        return plane;
    }

    private void writePlane(int z, float[] low, float[] high, int classes) {
        float wz = (float) axes.get(0).weight()[z];
        boolean blend = axes.get(0).low()[z] != axes.get(0).high()[z];
        IntStream.range(0, to.h()).parallel().forEach(y -> {
            int voxel = y * to.w();
            float[] blended = new float[blend ? classes : 0];
            for (int x = 0; x < to.w(); x++, voxel++) {
                int first = voxel * classes;
                for (int c = 0; c < blended.length; c++) {
                    blended[c] = low[first + c] * wz + high[first + c] * (1 - wz);
                }
                int label = blend ? rule.label(blended, 0, classes) : rule.label(low, first, classes);
                labels[z * to.h() * to.w() + voxel] = (byte) label;
            }
        });
    }

    /**
     * The label map of the whole source, [z][y][x], unsigned.
     *
     * @throws IllegalStateException when planes are missing
     */
    public byte[] labels() {
        if (written != to.d()) {
            throw new IllegalStateException("only " + received + " of " + from.d() + " planes of logits came");
        }
        return crop.paste(labels, volume);
    }
}
