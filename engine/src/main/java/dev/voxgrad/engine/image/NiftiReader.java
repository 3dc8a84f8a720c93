package dev.voxgrad.engine.image;

import dev.voxgrad.engine.DataException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Reads NIfTI-1 and NIfTI-2 files of both byte orders: {@code .nii}, {@code .nii.gz}, and {@code .hdr} with {@code .img}
 * (either may be gzip; the bytes decide, not the name). Sizes in the header are believed only when the file can hold
 * them. Every refusal is a {@link DataException} that names file, field and value.
 */
public final class NiftiReader {
    /** A gzip file that claims to expand more than this, and to more than the bytes below, is counted before allocating. */
    private static final long USUAL_EXPANSION = 20;

    private static final long HARMLESS_BYTES = 64L << 20;

    private NiftiReader() {}

    /** Reads the header alone; the voxels are not looked at. */
    public static NiftiHeader readHeader(Path path) {
        Path file = headerFile(path);
        return guarded(file, () -> {
            try (ByteSource source = ByteSource.open(file)) {
                return header(file, source);
            }
        });
    }

    /** Reads an image; a fourth axis becomes channels, two axes become one slice. NaN and infinities are kept. */
    public static NiftiImage read(Path path) {
        List<String> warnings = new ArrayList<>();
        return withVoxels(path, warnings, (file, header, layout, source) -> {
            Geometry geometry = NiftiTransform.of(file, header, layout, warnings);
            VoxelDecoder decoder = new VoxelDecoder(source, layout, header.order());
            List<float[]> channels = new ArrayList<>();
            for (int c = 0; c < layout.channels(); c++) {
                float[] channel = new float[layout.grid().voxels()];
                requireAll(file, layout, c, decoder.read(channel));
                channels.add(channel);
            }
            return new NiftiImage(header, new Volume(channels, layout.grid(), geometry), warnings);
        });
    }

    /** Reads a label map: one channel of whole numbers from 0 to 65535 after scaling. */
    public static NiftiLabels readLabels(Path path) {
        List<String> warnings = new ArrayList<>();
        return withVoxels(path, warnings, (file, header, layout, source) -> {
            if (layout.channels() != 1) {
                throw new DataException(file + ": dim[4] is " + layout.channels() + ": a label map has one channel");
            }
            Geometry geometry = NiftiTransform.of(file, header, layout, warnings);
            short[] labels = new short[layout.grid().voxels()];
            int count = new VoxelDecoder(source, layout, header.order())
                    .read(labels.length, (first, values, n) -> toLabels(file, layout.grid(), first, values, n, labels));
            requireAll(file, layout, 0, count);
            return new NiftiLabels(header, new LabelVolume(labels, layout.grid(), geometry), warnings);
        });
    }

    private static void toLabels(Path file, Grid grid, int first, float[] values, int count, short[] labels) {
        for (int i = 0; i < count; i++) {
            int label = (int) values[i];
            if (label != values[i] || label < 0 || label > 0xffff) {
                throw new DataException(file + ": label " + values[i] + " at voxel " + grid.indexOf(first + i)
                        + " (z, y, x) is not a whole number from 0 to 65535");
            }
            labels[first + i] = (short) label;
        }
    }

    /** What to do with the voxels, which {@code source} delivers next. */
    @FunctionalInterface
    private interface Body<T> {
        T read(Path file, NiftiHeader header, NiftiLayout layout, ByteSource source) throws IOException;
    }

    @FunctionalInterface
    private interface Reading<T> {
        T run() throws IOException;
    }

    private static <T> T withVoxels(Path path, List<String> warnings, Body<T> body) {
        Path file = headerFile(path);
        return guarded(file, () -> {
            try (ByteSource source = ByteSource.open(file)) {
                NiftiHeader header = header(file, source);
                NiftiLayout layout = NiftiLayout.of(file, header, warnings);
                if (!header.isPair()) {
                    return voxels(file, header, layout, source, header.bytes().length, body);
                }
                source.finish();
                Path image = imageFile(file);
                try (ByteSource imageSource = ByteSource.open(image)) {
                    return voxels(image, header, layout, imageSource, 0, body);
                }
            }
        });
    }

    private static <T> T voxels(
            Path file, NiftiHeader header, NiftiLayout layout, ByteSource source, long position, Body<T> body)
            throws IOException {
        requireRoom(file, layout, source);
        source.skip(layout.offset() - position);
        T result = body.read(file, header, layout, source);
        source.finish();
        return result;
    }

    /** Refuses a size the file cannot hold before anything of that size is allocated. */
    private static void requireRoom(Path file, NiftiLayout layout, ByteSource source) throws IOException {
        long limit = source.limit();
        if (layout.offset() > limit) {
            throw new DataException(
                    file + ": vox_offset is " + layout.offset() + ", beyond the end of the file at byte " + limit);
        }
        boolean fits = limit - layout.offset() >= layout.bytes();
        long fileBytes = Files.size(file);
        if (fits && layout.bytes() > HARMLESS_BYTES && layout.bytes() / USUAL_EXPANSION > fileBytes) {
            try (ByteSource probe = ByteSource.open(file)) {
                fits = probe.skip(layout.offset()) == layout.offset() && probe.skip(layout.bytes()) == layout.bytes();
            }
        }
        if (!fits) {
            throw new DataException(file + ": dim and datatype (" + layout.channels() + " x " + layout.grid() + " of "
                    + layout.type() + ") need " + layout.bytes() + " bytes from byte " + layout.offset()
                    + ", the file of " + fileBytes + " bytes holds fewer; it is cut off or its header is damaged");
        }
    }

    private static void requireAll(Path file, NiftiLayout layout, int channel, int voxels) {
        if (voxels != layout.grid().voxels()) {
            throw new DataException(
                    file + ": data end after voxel " + voxels + " of channel " + channel + ", dim and datatype need "
                            + layout.grid().voxels() + " of " + layout.type() + "; the file is cut off");
        }
    }

    private static NiftiHeader header(Path file, ByteSource source) throws IOException {
        byte[] start = toArray(source.take(NiftiHeader.BYTES_1));
        if (NiftiHeader.isVersion2(start)) {
            byte[] rest = toArray(source.take(NiftiHeader.BYTES_2 - NiftiHeader.BYTES_1));
            byte[] all = Arrays.copyOf(start, start.length + rest.length);
            System.arraycopy(rest, 0, all, start.length, rest.length);
            start = all;
        }
        return NiftiHeader.parse(file, start);
    }

    private static byte[] toArray(ByteBuffer buffer) {
        byte[] bytes = new byte[buffer.remaining()];
        buffer.get(bytes);
        return bytes;
    }

    private static <T> T guarded(Path file, Reading<T> reading) {
        try {
            return reading.run();
        } catch (NoSuchFileException e) {
            throw new DataException(e.getFile() + ": file does not exist", e);
        } catch (IOException e) {
            throw new DataException(file + ": cannot read (" + e.getMessage() + ")", e);
        }
    }

    /** The file with the header: the given one, except that an .img stands for its .hdr. */
    private static Path headerFile(Path path) {
        return sibling(path, ".img", ".hdr");
    }

    /** The file with the voxels of a pair. */
    private static Path imageFile(Path header) {
        Path image = sibling(header, ".hdr", ".img");
        if (image.equals(header)) {
            throw new DataException(
                    header + ": magic says that the voxels are in a second file, but the name does not end"
                            + " in .hdr; rename it, with its .img beside it");
        }
        if (!Files.exists(image)) {
            throw new DataException(
                    header + ": the image file " + image.getFileName() + " that belongs to it is missing");
        }
        return image;
    }

    /** Exchanges the ending of a pair's file; when that file does not exist, with .gz added or removed. */
    private static Path sibling(Path path, String ending, String other) {
        String name = path.getFileName() == null ? "" : path.getFileName().toString();
        String plain = name.endsWith(".gz") ? name.substring(0, name.length() - ".gz".length()) : name;
        if (!plain.endsWith(ending)) {
            return path;
        }
        String stem = plain.substring(0, plain.length() - ending.length()) + other;
        Path same = path.resolveSibling(stem + name.substring(plain.length()));
        Path toggled = path.resolveSibling(name.equals(plain) ? stem + ".gz" : stem);
        return !Files.exists(same) && Files.exists(toggled) ? toggled : same;
    }
}
