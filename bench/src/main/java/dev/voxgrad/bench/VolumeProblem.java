package dev.voxgrad.bench;

import dev.voxgrad.engine.image.Geometry;
import dev.voxgrad.engine.image.Grid;
import dev.voxgrad.engine.image.NiftiHeader;
import dev.voxgrad.engine.op.Triple;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Work on one volume outside the network.
 *
 * @param from voxels before
 * @param to voxels after
 */
public record VolumeProblem(String name, Work work, Triple from, Triple to) implements Problem {
    /** What is done. */
    public enum Work {
        /** Linear interpolation. */
        LINEAR,
        /** Cubic splines, what nnU-Net does to images. */
        CUBIC,
        /** From an uncompressed NIfTI file of 16 bit to what the network sees: crop, z-score, cubic splines. */
        PREPROCESS,
        /** A compressed NIfTI file of 16 bit to float voxels. */
        LOAD,
        /** Labels to a compressed NIfTI file. */
        SAVE
    }

    /** Classes of the labels. */
    public static final int CLASSES = 4;

    private static final double[] SPACING_MM = {2.0, 0.8, 0.8};
    private static final int INT16 = 4; // NIfTI's code
    private static final int DATATYPE_AT = 70; // places in the header
    private static final int BITS_AT = 72;
    private static final int FIRST_VOXEL_AT = 108;
    private static final int SLOPE_AT = 112;

    /** NIfTI's header and the extension flag. */
    public static final int HEADER_BYTES = 352;

    static VolumeProblem of(Rows.Row row) {
        Work work = row.choice("work", Work.values());
        Triple from = new Triple(row.integer("depth"), row.integer("height"), row.integer("width"));
        return new VolumeProblem(row.text("name"), work, from, row.triple("to"));
    }

    private static int voxels(Triple size) {
        return size.d() * size.h() * size.w();
    }

    /** Voxels before. */
    public int voxels() {
        return voxels(from);
    }

    /** Intensities like those of a scan: smooth over tens of voxels, with noise of a few units; whole numbers. */
    public float[] image() {
        SplittableRandom random = new SplittableRandom(7);
        float[] image = new float[voxels()];
        int i = 0;
        for (int z = 0; z < from.d(); z++) {
            for (int y = 0; y < from.h(); y++) {
                double row = 300 * Math.sin(0.11 * y) * Math.cos(0.23 * z);
                for (int x = 0; x < from.w(); x++) {
                    image[i++] = Math.round(400 + row + 200 * Math.sin(0.07 * x) + random.nextInt(-4, 5));
                }
            }
        }
        return image;
    }

    /** Labels in blocks of some voxels. */
    public short[] labels() {
        short[] labels = new short[voxels()];
        for (int i = 0; i < labels.length; i++) {
            int x = i % from.w();
            int y = i / from.w() % from.h();
            int z = i / from.w() / from.h();
            labels[i] = (short) ((x / 19 + y / 13 * 3 + z / 7 * 5) % 7 % CLASSES);
        }
        return labels;
    }

    /** A header for files of this volume. */
    public NiftiHeader header() {
        return NiftiHeader.create(new Grid(from.d(), from.h(), from.w()), Geometry.ofSpacing(SPACING_MM));
    }

    /** Writes the image as an uncompressed NIfTI file with voxels of 16 bit. */
    public void writeImage(OutputStream out) throws IOException {
        ByteBuffer header =
                ByteBuffer.wrap(Arrays.copyOf(header().bytes(), HEADER_BYTES)).order(ByteOrder.LITTLE_ENDIAN);
        header.putShort(DATATYPE_AT, (short) INT16).putShort(BITS_AT, (short) Short.SIZE);
        header.putFloat(FIRST_VOXEL_AT, HEADER_BYTES).putFloat(SLOPE_AT, 1);
        out.write(header.array());
        float[] image = image();
        ByteBuffer voxels = ByteBuffer.allocate(image.length * Short.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (float value : image) {
            voxels.putShort((short) value);
        }
        out.write(voxels.array());
    }

    @Override
    public List<Direction> directions() {
        return List.of(Direction.FORWARD);
    }

    /** Input once and result once; of files without what compression saves. */
    @Override
    public double bytes(Direction direction) {
        double result = Float.BYTES * (double) voxels(to);
        return switch (work) {
            case LINEAR, CUBIC -> Float.BYTES * (double) voxels() + result;
            case PREPROCESS, LOAD -> Short.BYTES * (double) voxels() + result;
            case SAVE -> (Short.BYTES + 1) * (double) voxels();
        };
    }

    /** Files hold whole numbers; interpolation is float32. */
    @Override
    public double tolerance() {
        return work == Work.LOAD || work == Work.SAVE ? 0 : 1e-5;
    }
}
