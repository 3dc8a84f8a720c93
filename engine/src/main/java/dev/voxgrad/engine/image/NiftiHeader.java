package dev.voxgrad.engine.image;

import dev.voxgrad.engine.DataException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;

/**
 * A NIfTI-1 or NIfTI-2 header, kept as the bytes of the file so that whatever is not changed on purpose is written back
 * bit by bit. Indices follow the format: dim[0] is the number of axes, dim[1] is x.
 */
public final class NiftiHeader {
    /** Sizes of the two versions; they also identify them. */
    static final int BYTES_1 = 348;

    static final int BYTES_2 = 540;
    /** Largest dim a NIfTI-1 header holds. */
    private static final int MAX_DIM_1 = Short.MAX_VALUE;

    private static final String SINGLE_1 = "n+1\0";
    private static final String PAIR_1 = "ni1\0";
    private static final String TAIL_2 = "\0\r\n\u001a\n";
    private static final String SINGLE_2 = "n+2" + TAIL_2;
    private static final String PAIR_2 = "ni2" + TAIL_2;

    private final Optional<Path> file;
    private final int version;
    private final ByteBuffer raw;

    NiftiHeader(Optional<Path> file, int version, ByteOrder order, byte[] bytes) {
        this.file = file;
        this.version = version;
        this.raw = ByteBuffer.wrap(bytes).order(order);
    }

    /**
     * Recognises version and byte order; {@code start} holds the first bytes of the file, up to 540 of them.
     *
     * @throws DataException when size or magic are not those of a NIfTI header
     */
    static NiftiHeader parse(Path file, byte[] start) {
        if (start.length < BYTES_1) {
            throw new DataException(file + ": holds " + start.length + " bytes, a NIfTI header needs " + BYTES_1
                    + "; the file is cut off or not NIfTI");
        }
        for (ByteOrder order : new ByteOrder[] {ByteOrder.LITTLE_ENDIAN, ByteOrder.BIG_ENDIAN}) {
            int size = ByteBuffer.wrap(start).order(order).getInt(0);
            if (size == BYTES_1 || size == BYTES_2) {
                if (start.length < size) {
                    throw new DataException(file + ": holds " + start.length + " bytes, its header says " + size
                            + "; the file is cut off");
                }
                NiftiHeader header =
                        new NiftiHeader(Optional.of(file), size == BYTES_1 ? 1 : 2, order, Arrays.copyOf(start, size));
                header.requireMagic(file);
                return header;
            }
        }
        throw new DataException(file + ": sizeof_hdr is "
                + ByteBuffer.wrap(start).order(ByteOrder.LITTLE_ENDIAN).getInt(0)
                + ", neither 348 (NIfTI-1) nor 540 (NIfTI-2) in either byte order; not a NIfTI file");
    }

    /** Whether the size at the start of a file is that of a NIfTI-2 header. */
    static boolean isVersion2(byte[] start) {
        return start.length >= Integer.BYTES
                && (ByteBuffer.wrap(start).getInt(0) == BYTES_2
                        || ByteBuffer.wrap(start).order(ByteOrder.LITTLE_ENDIAN).getInt(0) == BYTES_2);
    }

    private void requireMagic(Path from) {
        String magic = magic();
        boolean known = version == 1
                ? magic.equals(SINGLE_1) || magic.equals(PAIR_1)
                : magic.equals(SINGLE_2) || magic.equals(PAIR_2);
        if (!known) {
            byte[] bytes = magic.getBytes(StandardCharsets.ISO_8859_1);
            throw new DataException(
                    from + ": magic is " + Arrays.toString(bytes) + ", expected n+" + version + " or ni" + version
                            + (version == 1 ? " (ANALYZE 7.5 files have none; convert them)" : " and its check bytes"));
        }
    }

    private String magic() {
        int length = version == 1 ? SINGLE_1.length() : SINGLE_2.length();
        return new String(raw.array(), NiftiField.MAGIC.offset(version, 0), length, StandardCharsets.ISO_8859_1);
    }

    /** A header of our own, in mm, for a volume that comes from no NIfTI file; version 2 when an axis needs it. */
    public static NiftiHeader create(Grid grid, Geometry geometry) {
        int[] sizes = grid.sizes();
        int version = Arrays.stream(sizes).max().orElse(0) > MAX_DIM_1 ? 2 : 1;
        NiftiHeader header = new NiftiHeader(
                Optional.empty(), version, ByteOrder.LITTLE_ENDIAN, new byte[version == 1 ? BYTES_1 : BYTES_2]);
        header.put(NiftiField.SIZEOF_HDR, 0, header.raw.capacity());
        header.put(NiftiField.DIM, 0, 3);
        header.put(NiftiField.PIXDIM, 0, 1);
        double[] spacing = geometry.spacingMm();
        for (int axis = 1; axis <= 7; axis++) {
            header.put(NiftiField.DIM, axis, axis <= 3 ? sizes[3 - axis] : 1);
            header.put(NiftiField.PIXDIM, axis, axis <= 3 ? spacing[3 - axis] : 1);
        }
        header.put(NiftiField.XYZT_UNITS, 0, 2);
        header.put(NiftiField.SFORM_CODE, 0, 2);
        for (int i = 0; i < 12; i++) {
            header.put(NiftiField.SROW, i, geometry.affine(i / 4, i % 4));
        }
        header.markSingleFile();
        return header;
    }

    /** A copy to be changed before it is written. */
    NiftiHeader copy() {
        return new NiftiHeader(file, version, raw.order(), raw.array().clone());
    }

    void markSingleFile() {
        putText(NiftiField.MAGIC, version == 1 ? SINGLE_1 : SINGLE_2, version == 1 ? 4 : 8);
    }

    /** The file it was read from; empty for a new one. */
    public Optional<Path> file() {
        return file;
    }

    /** 1 or 2. */
    public int version() {
        return version;
    }

    /** Byte order of the header and its voxels. */
    public ByteOrder order() {
        return raw.order();
    }

    /** Whether the voxels are in a second file. */
    public boolean isPair() {
        return magic().equals(PAIR_1) || magic().equals(PAIR_2);
    }

    /** Earliest offset of voxels in a single file: header and extension flag. */
    int firstDataByte() {
        return raw.capacity() + 4;
    }

    /** The header as stored. */
    public byte[] bytes() {
        return raw.array().clone();
    }

    /** Sizes: number of axes, then x, y, z, channel and three more. */
    public long dim(int index) {
        return integer(NiftiField.DIM, index);
    }

    /** Handedness of the qform, then the spacings in the unit of the file. */
    public double pixdim(int index) {
        return real(NiftiField.PIXDIM, index);
    }

    /** The code of the voxel type. */
    public int datatype() {
        return (int) integer(NiftiField.DATATYPE, 0);
    }

    /** Code of the quaternion transform, 0 when there is none. */
    public int qformCode() {
        return (int) integer(NiftiField.QFORM_CODE, 0);
    }

    /** Code of the matrix transform, 0 when there is none. */
    public int sformCode() {
        return (int) integer(NiftiField.SFORM_CODE, 0);
    }

    /** Units of space (lower 3 bits) and time. */
    public int xyztUnits() {
        return (int) integer(NiftiField.XYZT_UNITS, 0);
    }

    long integer(NiftiField field, int index) {
        int at = field.offset(version, index);
        return switch (field.kind(version)) {
            case U8, TEXT -> Byte.toUnsignedLong(raw.get(at));
            case I16 -> raw.getShort(at);
            case I32 -> raw.getInt(at);
            case I64 -> raw.getLong(at);
            case F32, F64 -> throw new IllegalArgumentException(field + " is not a whole number");
        };
    }

    double real(NiftiField field, int index) {
        int at = field.offset(version, index);
        return switch (field.kind(version)) {
            case F32 -> raw.getFloat(at);
            case F64 -> raw.getDouble(at);
            case U8, TEXT, I16, I32, I64 -> integer(field, index);
        };
    }

    void put(NiftiField field, int index, double value) {
        int at = field.offset(version, index);
        switch (field.kind(version)) {
            case U8, TEXT -> raw.put(at, (byte) value);
            case I16 -> raw.putShort(at, (short) value);
            case I32 -> raw.putInt(at, (int) value);
            case I64 -> raw.putLong(at, (long) value);
            case F32 -> raw.putFloat(at, (float) value);
            case F64 -> raw.putDouble(at, value);
        }
    }

    /** Sets a text field, padded with zero bytes. */
    void putText(NiftiField field, String text, int length) {
        byte[] bytes = Arrays.copyOf(text.getBytes(StandardCharsets.ISO_8859_1), length);
        raw.put(field.offset(version, 0), bytes);
    }

    @Override
    public String toString() {
        return file.map(Path::toString).orElse("new header") + " (NIfTI-" + version + ")";
    }
}
