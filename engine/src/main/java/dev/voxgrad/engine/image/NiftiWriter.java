package dev.voxgrad.engine.image;

import dev.voxgrad.engine.AtomicFile;
import dev.voxgrad.engine.DataException;
import dev.voxgrad.engine.ShapeException;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.GZIPOutputStream;

/**
 * Writes label maps and float maps as {@code .nii} or {@code .nii.gz}. The source header is copied with its version and
 * byte order, and every geometry field stays bit identical; a file appears only when complete. Equal content gives equal
 * bytes (gzip without a time stamp).
 */
public final class NiftiWriter {
    /** The level every NIfTI tool writes; smaller files than level 1 for a few times its time. */
    private static final int GZIP_LEVEL = 6;

    private static final int BUFFER_BYTES = 1 << 16;
    /** uint8 holds 255, but that value often marks "no data", so labels leave it free. */
    private static final int HIGHEST_U8_LABEL = 254;

    private static final String PROGRAM = "voxgrad";

    private NiftiWriter() {}

    /**
     * Writes labels in the geometry of {@code source}: uint8 when {@code highestLabel}, the highest that may occur in the
     * whole data set, is below 255, else uint16.
     *
     * @throws ShapeException when the shapes differ
     * @throws DataException when a label exceeds the highest, or the file cannot be written
     */
    public static void writeLabels(Path file, LabelVolume labels, int highestLabel, NiftiHeader source) {
        if (labels.highestLabel() > highestLabel || highestLabel > 0xffff) {
            throw new DataException(file + ": label " + labels.highestLabel() + " occurs, the highest announced is "
                    + highestLabel + " and none may exceed 65535");
        }
        NiftiType type = highestLabel <= HIGHEST_U8_LABEL ? NiftiType.U8 : NiftiType.U16;
        NiftiHeader header = header(file, source, labels.grid(), 1, type);
        int voxels = labels.grid().voxels();
        write(file, header, out -> {
            ByteBuffer chunk = ByteBuffer.allocate(BUFFER_BYTES).order(header.order());
            int perChunk = BUFFER_BYTES / type.bytes();
            for (int first = 0; first < voxels; first += perChunk) {
                int end = Math.min(voxels, first + perChunk);
                chunk.clear();
                for (int i = first; i < end; i++) {
                    if (type == NiftiType.U8) {
                        chunk.put((byte) labels.labels()[i]);
                    } else {
                        chunk.putShort(labels.labels()[i]);
                    }
                }
                out.write(chunk.array(), 0, chunk.position());
            }
        });
    }

    /**
     * Writes float32 maps, such as probabilities, in the geometry of {@code source}; several channels become a fourth
     * axis.
     *
     * @throws ShapeException when the shapes differ
     * @throws DataException when the file cannot be written
     */
    public static void writeFloat(Path file, List<float[]> channels, NiftiHeader source) {
        Grid grid = gridOf(source);
        if (channels.isEmpty() || channels.stream().anyMatch(c -> c.length != grid.voxels())) {
            throw new ShapeException(file + ": every channel needs the " + grid.voxels() + " voxels of " + source
                    + ", got " + channels.stream().map(c -> c.length).toList());
        }
        NiftiHeader header = header(file, source, grid, channels.size(), NiftiType.F32);
        write(file, header, out -> {
            ByteBuffer chunk = ByteBuffer.allocate(BUFFER_BYTES).order(header.order());
            int perChunk = BUFFER_BYTES / Float.BYTES;
            for (float[] channel : channels) {
                for (int first = 0; first < channel.length; first += perChunk) {
                    int count = Math.min(perChunk, channel.length - first);
                    chunk.asFloatBuffer().put(channel, first, count);
                    out.write(chunk.array(), 0, count * Float.BYTES);
                }
            }
        });
    }

    /** Shape that outputs in the geometry of a header have. */
    private static Grid gridOf(NiftiHeader source) {
        int depth = source.dim(0) >= 3 ? Math.toIntExact(source.dim(3)) : 1;
        return new Grid(depth, Math.toIntExact(source.dim(2)), Math.toIntExact(source.dim(1)));
    }

    private static NiftiHeader header(Path file, NiftiHeader source, Grid grid, int channels, NiftiType type) {
        if (!gridOf(source).equals(grid)) {
            throw new ShapeException(
                    file + ": voxels have shape " + grid + ", the source " + source + " has " + gridOf(source));
        }
        NiftiHeader header = source.copy();
        header.put(NiftiField.DATATYPE, 0, type.code());
        header.put(NiftiField.BITPIX, 0, type.bytes() * 8);
        header.put(NiftiField.SCL_SLOPE, 0, 1);
        header.put(NiftiField.SCL_INTER, 0, 0);
        header.put(NiftiField.CAL_MAX, 0, 0);
        header.put(NiftiField.CAL_MIN, 0, 0);
        header.put(NiftiField.INTENT_CODE, 0, 0);
        header.putText(NiftiField.INTENT_NAME, "", NiftiField.INTENT_NAME_BYTES);
        header.putText(NiftiField.DESCRIP, PROGRAM, NiftiField.DESCRIP_BYTES);
        header.put(NiftiField.VOX_OFFSET, 0, header.firstDataByte());
        header.markSingleFile();
        if (source.dim(0) > 3 || channels > 1) {
            header.put(NiftiField.DIM, 0, channels > 1 ? 4 : 3);
            for (int axis = channels > 1 ? Math.toIntExact(Math.min(source.dim(0), 3)) + 1 : 4; axis <= 7; axis++) {
                header.put(NiftiField.DIM, axis, axis == 4 ? channels : 1);
                header.put(NiftiField.PIXDIM, axis, 1);
            }
        }
        return header;
    }

    @FunctionalInterface
    private interface Voxels {
        void writeTo(OutputStream out) throws IOException;
    }

    private static void write(Path file, NiftiHeader header, Voxels voxels) {
        String name = file.getFileName().toString();
        if (!name.endsWith(".nii") && !name.endsWith(".nii.gz")) {
            throw new DataException(file + ": outputs end in .nii or .nii.gz");
        }
        refuseInput(file, header);
        AtomicFile.write(file, channel -> {
            // AtomicFile syncs and closes the channel, so the streams are flushed, not closed.
            OutputStream raw = new BufferedOutputStream(Channels.newOutputStream(channel), BUFFER_BYTES);
            if (name.endsWith(".gz")) {
                try (GzipStream gzip = new GzipStream(raw)) {
                    writeAll(gzip, header, voxels);
                }
            } else {
                writeAll(raw, header, voxels);
            }
            raw.flush();
        });
    }

    private static void writeAll(OutputStream out, NiftiHeader header, Voxels voxels) throws IOException {
        out.write(header.bytes());
        // Extension flag: none.
        out.write(new byte[4]);
        voxels.writeTo(out);
    }

    private static void refuseInput(Path file, NiftiHeader header) {
        header.file().filter(Files::exists).ifPresent(source -> {
            try {
                if (Files.exists(file) && Files.isSameFile(file, source)) {
                    throw new DataException(file + ": is the input itself; choose another output folder or name");
                }
            } catch (IOException e) {
                throw new DataException(file + ": cannot compare with the input " + source, e);
            }
        });
    }

    /** Sets the level, which the JDK's stream does not offer, and leaves the stream below open. */
    private static final class GzipStream extends GZIPOutputStream {
        GzipStream(OutputStream out) throws IOException {
            super(out, BUFFER_BYTES);
            def.setLevel(GZIP_LEVEL);
        }

        @Override
        public void close() throws IOException {
            try {
                finish();
            } finally {
                def.end();
            }
        }
    }
}
