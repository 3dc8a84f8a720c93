package dev.voxgrad.engine.image;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.zip.GZIPOutputStream;

/** Small NIfTI files made byte by byte, so that a reader and a writer with the same error do not agree by chance. */
final class NiftiFiles {
    /** x, y, z of the standard sample. */
    static final int WIDTH = 4;

    static final int HEIGHT = 3;
    static final int DEPTH = 2;

    private NiftiFiles() {}

    /** A 4 x 3 x 2 header of either version, 1 mm, without transform codes, changed by {@code edit}. */
    static NiftiHeader header(int version, ByteOrder order, NiftiType type, Consumer<NiftiHeader> edit) {
        int size = version == 1 ? 348 : 540;
        NiftiHeader header = new NiftiHeader(Optional.empty(), version, order, new byte[size]);
        header.put(NiftiField.SIZEOF_HDR, 0, size);
        int[] dim = {3, WIDTH, HEIGHT, DEPTH, 1, 1, 1, 1};
        for (int i = 0; i < 8; i++) {
            header.put(NiftiField.DIM, i, dim[i]);
            header.put(NiftiField.PIXDIM, i, 1);
        }
        header.put(NiftiField.DATATYPE, 0, type.code());
        header.put(NiftiField.BITPIX, 0, type.bytes() * 8);
        header.put(NiftiField.VOX_OFFSET, 0, header.firstDataByte());
        header.markSingleFile();
        edit.accept(header);
        return header;
    }

    /** The bytes of a single file. */
    static byte[] single(NiftiHeader header, byte... voxels) {
        return ByteBuffer.allocate(header.firstDataByte() + voxels.length)
                .put(header.bytes())
                .putInt(0)
                .put(voxels)
                .array();
    }

    /** Writes a single file of unsigned bytes. */
    static Path u8(Path file, Consumer<NiftiHeader> edit, byte... voxels) throws IOException {
        return Files.write(file, single(header(1, ByteOrder.LITTLE_ENDIAN, NiftiType.U8, edit), voxels));
    }

    /** Writes a single file of floats. */
    static Path f32(Path file, float... voxels) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(4 * voxels.length).order(ByteOrder.BIG_ENDIAN);
        for (float v : voxels) {
            bytes.putFloat(v);
        }
        NiftiHeader header = header(1, ByteOrder.BIG_ENDIAN, NiftiType.F32, h -> {});
        return Files.write(file, single(header, bytes.array()));
    }

    static byte[] gzip(byte[] content) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (GZIPOutputStream out = new GZIPOutputStream(bytes)) {
            out.write(content);
        }
        return bytes.toByteArray();
    }

    static byte[] join(byte[]... parts) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            bytes.writeBytes(part);
        }
        return bytes.toByteArray();
    }
}
