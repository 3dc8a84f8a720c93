package dev.voxgrad.engine;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Supplier;
import tools.jackson.databind.json.JsonMapper;

/**
 * Writes a safetensors file. Tensors are declared first and their bytes fetched one after the other while writing, so
 * a checkpoint never exists twice in memory. Equal content gives equal bytes, whatever the order of the calls: tensors
 * are sorted by element size (largest first, which aligns each one) and name, metadata by key.
 */
public final class SafetensorsWriter {
    /** The data begin at a multiple of this. */
    private static final int ALIGNMENT = 8;

    /** Heap arrays are copied through a buffer of this size; larger ones gain nothing. */
    private static final int STAGING_BYTES = 1 << 20;

    private final Map<String, String> metadata = new TreeMap<>();
    private final Map<String, Tensor> tensors = new TreeMap<>();

    private record Tensor(String name, ElementType type, List<Long> shape, long bytes, Supplier<MemorySegment> data) {}

    /** Adds or replaces one entry of free text. */
    public SafetensorsWriter metadata(String key, String value) {
        metadata.put(key, value);
        return this;
    }

    /** Declares a float tensor; the array is read when the file is written. */
    public SafetensorsWriter f32(String name, float[] values, long... shape) {
        return add(name, ElementType.F32, shape, () -> MemorySegment.ofArray(values));
    }

    /** Declares a double tensor; the array is read when the file is written. */
    public SafetensorsWriter f64(String name, double[] values, long... shape) {
        return add(name, ElementType.F64, shape, () -> MemorySegment.ofArray(values));
    }

    /** Declares a 64-bit integer tensor; the array is read when the file is written. */
    public SafetensorsWriter i64(String name, long[] values, long... shape) {
        return add(name, ElementType.I64, shape, () -> MemorySegment.ofArray(values));
    }

    /** Declares a 32-bit integer tensor; the array is read when the file is written. */
    public SafetensorsWriter i32(String name, int[] values, long... shape) {
        return add(name, ElementType.I32, shape, () -> MemorySegment.ofArray(values));
    }

    /** Declares an unsigned byte tensor; the array is read when the file is written. */
    public SafetensorsWriter u8(String name, byte[] values, long... shape) {
        return add(name, ElementType.U8, shape, () -> MemorySegment.ofArray(values));
    }

    /**
     * Declares a tensor whose little-endian bytes are asked for when its turn comes, on the thread that writes. The
     * machine must be little-endian, as every platform of the native library is.
     *
     * @throws ShapeException when the name is taken or the shape is impossible
     */
    public SafetensorsWriter add(String name, ElementType type, long[] shape, Supplier<MemorySegment> data) {
        if (name.equals(SafetensorsHeader.METADATA) || tensors.containsKey(name)) {
            throw new ShapeException("safetensors: the tensor name '" + name + "' is taken");
        }
        long bytes = type.bytes();
        for (long size : shape) {
            if (size < 0) {
                throw new ShapeException("safetensors: tensor '" + name + "' has shape " + Arrays.toString(shape));
            }
            bytes = Math.multiplyExact(bytes, size);
        }
        tensors.put(name, new Tensor(name, type, Arrays.stream(shape).boxed().toList(), bytes, data));
        return this;
    }

    /**
     * Writes the file, replacing an older one only when complete; see {@link AtomicFile}.
     *
     * @throws DataException when the file cannot be written
     * @throws ShapeException when a tensor's bytes do not fit its shape
     */
    public void writeTo(Path file) {
        List<Tensor> ordered = new ArrayList<>(tensors.values());
        ordered.sort(Comparator.comparingInt((Tensor t) -> -t.type().bytes()).thenComparing(Tensor::name));
        byte[] header = header(ordered);
        AtomicFile.write(file, channel -> {
            AtomicFile.writeFully(channel, ByteBuffer.wrap(header));
            // Freed here, not by the garbage collector: a run of many checkpoints would pile them up.
            try (Arena arena = Arena.ofConfined()) {
                ByteBuffer staging = arena.allocate(STAGING_BYTES).asByteBuffer();
                for (Tensor tensor : ordered) {
                    copy(checked(tensor), channel, staging);
                }
            }
        });
    }

    private static MemorySegment checked(Tensor tensor) {
        MemorySegment data = tensor.data().get();
        if (data.byteSize() != tensor.bytes()) {
            throw new ShapeException("safetensors: tensor '" + tensor.name() + "' " + tensor.type() + " "
                    + tensor.shape() + " needs " + tensor.bytes() + " bytes, got " + data.byteSize());
        }
        return data;
    }

    private byte[] header(List<Tensor> ordered) {
        Map<String, Object> json = new LinkedHashMap<>();
        if (!metadata.isEmpty()) {
            json.put(SafetensorsHeader.METADATA, metadata);
        }
        long position = 0;
        for (Tensor tensor : ordered) {
            Map<String, Object> entry = new LinkedHashMap<>();
            entry.put("dtype", tensor.type().name());
            entry.put("shape", tensor.shape());
            entry.put("data_offsets", new long[] {position, position + tensor.bytes()});
            json.put(tensor.name(), entry);
            position += tensor.bytes();
        }
        byte[] text = JsonMapper.shared().writeValueAsString(json).getBytes(StandardCharsets.UTF_8);
        int padded = Math.ceilDiv(text.length, ALIGNMENT) * ALIGNMENT;
        byte[] header = new byte[Long.BYTES + padded];
        Arrays.fill(header, (byte) ' ');
        ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN).putLong(padded).put(text);
        return header;
    }

    private static void copy(MemorySegment data, FileChannel channel, ByteBuffer staging) throws IOException {
        MemorySegment buffer = MemorySegment.ofBuffer(staging.clear());
        for (long done = 0; done < data.byteSize(); done += STAGING_BYTES) {
            int count = (int) Math.min(STAGING_BYTES, data.byteSize() - done);
            MemorySegment.copy(data, done, buffer, 0, count);
            AtomicFile.writeFully(channel, staging.clear().limit(count));
        }
    }
}
