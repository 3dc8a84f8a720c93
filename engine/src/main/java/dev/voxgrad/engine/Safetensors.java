package dev.voxgrad.engine;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A safetensors file, memory-mapped: 8 bytes header length (little-endian), a JSON header, then the raw tensors. All
 * sizes and offsets are checked against the file before anything is allocated or handed out.
 *
 * <p>Closing unmaps the file; segments handed out by {@link #segment} then throw.
 */
public final class Safetensors implements AutoCloseable {
    /** Limit of the format's reference implementation. */
    private static final long MAX_HEADER_BYTES = 100_000_000;

    private static final ValueLayout.OfShort I16 = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt I32 = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong I64 = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfFloat F32 = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfDouble F64 =
            ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final Path file;
    private final Arena arena;
    private final SafetensorsHeader header;
    private final MemorySegment data;

    private Safetensors(Path file, Arena arena, SafetensorsHeader header, MemorySegment data) {
        this.file = file;
        this.arena = arena;
        this.header = header;
        this.data = data;
    }

    /**
     * Opens and validates a file.
     *
     * @throws DataException when it is missing, damaged or of a type that is not supported; the message names it
     */
    public static Safetensors open(Path file) {
        Arena arena = Arena.ofShared();
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            long fileBytes = channel.size();
            byte[] json = readHeader(file, channel, fileBytes);
            long start = Long.BYTES + (long) json.length;
            SafetensorsHeader header = SafetensorsHeader.parse(file, json, fileBytes - start);
            MemorySegment data = channel.map(FileChannel.MapMode.READ_ONLY, start, fileBytes - start, arena);
            Safetensors opened = new Safetensors(file, arena, header, data);
            arena = null;
            return opened;
        } catch (NoSuchFileException e) {
            throw new DataException(file + ": file does not exist", e);
        } catch (IOException e) {
            throw new DataException(file + ": cannot read (" + e.getMessage() + ")", e);
        } finally {
            if (arena != null) {
                arena.close();
            }
        }
    }

    private static byte[] readHeader(Path file, FileChannel channel, long fileBytes) throws IOException {
        if (Files.isDirectory(file)) {
            throw new DataException(file + ": is a folder, expected a safetensors file");
        }
        if (fileBytes < Long.BYTES) {
            throw new DataException(file + ": " + fileBytes + " bytes are too few for a safetensors file");
        }
        ByteBuffer length = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        readFully(file, channel, length, 0);
        long headerBytes = length.getLong(0);
        if (headerBytes < 2 || headerBytes > MAX_HEADER_BYTES || headerBytes > fileBytes - Long.BYTES) {
            throw new DataException(file + ": safetensors header length " + Long.toUnsignedString(headerBytes)
                    + " is impossible in a file of " + fileBytes + " bytes (limit " + MAX_HEADER_BYTES + ")");
        }
        byte[] json = new byte[(int) headerBytes];
        readFully(file, channel, ByteBuffer.wrap(json), Long.BYTES);
        return json;
    }

    private static void readFully(Path file, FileChannel channel, ByteBuffer into, long position) throws IOException {
        while (into.hasRemaining()) {
            int count = channel.read(into, position + into.position());
            if (count < 0) {
                throw new DataException(file + ": ends early, it became shorter while it was read");
            }
        }
    }

    /** The file this was opened from. */
    public Path file() {
        return file;
    }

    /** Tensor names in the order of the header. */
    public Set<String> names() {
        return header.entries().keySet();
    }

    /** The file's free text metadata; empty when it has none. */
    public Map<String, String> metadata() {
        return header.metadata();
    }

    /** Element type of a tensor. */
    public ElementType type(String name) {
        return entry(name).type();
    }

    /** Sizes of a tensor, outermost first; empty for a scalar. */
    public List<Long> shape(String name) {
        return entry(name).shape();
    }

    /** The raw little-endian bytes of a tensor, read-only, not necessarily aligned, valid until {@link #close}. */
    public MemorySegment segment(String name) {
        SafetensorsHeader.Entry entry = entry(name);
        return data.asSlice(entry.begin(), entry.end() - entry.begin()).asReadOnly();
    }

    /** A copy as floats, exact: F32, F16, BF16, and whole numbers up to 16 bits; other types are refused. */
    public float[] f32(String name) {
        MemorySegment raw = segment(name);
        float[] values = new float[count(name)];
        switch (type(name)) {
            case F32 -> MemorySegment.copy(raw, F32, 0, values, 0, values.length);
            case F64, I64, I32 -> throw wrongType(name, "float");
            default -> {
                for (int i = 0; i < values.length; i++) {
                    values[i] = (float) number(raw, type(name), i);
                }
            }
        }
        return values;
    }

    /** A copy as doubles, any type; exact except I64 beyond 2^53. */
    public double[] f64(String name) {
        MemorySegment raw = segment(name);
        ElementType type = type(name);
        double[] values = new double[count(name)];
        Arrays.setAll(values, i -> number(raw, type, i));
        return values;
    }

    /** A copy as longs: whole-number types and BOOL; others are refused. */
    public long[] i64(String name) {
        MemorySegment raw = segment(name);
        ElementType type = type(name);
        if (!type.isWhole()) {
            throw wrongType(name, "whole numbers");
        }
        long[] values = new long[count(name)];
        Arrays.setAll(values, i -> type == ElementType.I64 ? raw.getAtIndex(I64, i) : (long) number(raw, type, i));
        return values;
    }

    /** A copy as ints: whole-number types up to 32 bits and BOOL; others are refused. */
    public int[] i32(String name) {
        MemorySegment raw = segment(name);
        ElementType type = type(name);
        if (!type.isWhole() || type == ElementType.I64) {
            throw wrongType(name, "32-bit whole numbers");
        }
        int[] values = new int[count(name)];
        Arrays.setAll(values, i -> (int) number(raw, type, i));
        return values;
    }

    /** A copy of the bytes of a U8, I8 or BOOL tensor; other types are refused. */
    public byte[] u8(String name) {
        if (type(name).bytes() != 1) {
            throw wrongType(name, "bytes");
        }
        byte[] values = new byte[count(name)];
        MemorySegment.copy(segment(name), ValueLayout.JAVA_BYTE, 0, values, 0, values.length);
        return values;
    }

    /** Unmaps the file; safe to call again. */
    @Override
    public void close() {
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }

    private static double number(MemorySegment raw, ElementType type, long i) {
        return switch (type) {
            case F64 -> raw.getAtIndex(F64, i);
            case F32 -> raw.getAtIndex(F32, i);
            case F16 -> Float.float16ToFloat(raw.getAtIndex(I16, i));
            case BF16 -> Float.intBitsToFloat(raw.getAtIndex(I16, i) << 16);
            case I64 -> raw.getAtIndex(I64, i);
            case I32 -> raw.getAtIndex(I32, i);
            case I16 -> raw.getAtIndex(I16, i);
            case U16 -> Short.toUnsignedInt(raw.getAtIndex(I16, i));
            case I8 -> raw.get(ValueLayout.JAVA_BYTE, i);
            case U8, BOOL -> Byte.toUnsignedInt(raw.get(ValueLayout.JAVA_BYTE, i));
        };
    }

    private SafetensorsHeader.Entry entry(String name) {
        SafetensorsHeader.Entry entry = header.entries().get(name);
        if (entry == null) {
            throw new DataException(file + ": has no tensor '" + name + "'; it holds " + names());
        }
        return entry;
    }

    private int count(String name) {
        SafetensorsHeader.Entry entry = entry(name);
        long count = (entry.end() - entry.begin()) / entry.type().bytes();
        if (count > Integer.MAX_VALUE - 8) {
            throw new DataException(file + ": tensor '" + name + "' has " + count
                    + " elements, more than a Java array holds; use its segment");
        }
        return (int) count;
    }

    private DataException wrongType(String name, String wanted) {
        return new DataException(file + ": tensor '" + name + "' is " + type(name) + ", which does not fit " + wanted);
    }
}
