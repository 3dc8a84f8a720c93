package dev.voxgrad.engine;

import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * Files of named tensors in the safetensors format: eight bytes with the length of a JSON header, the header, the raw values in little
 * endian. Reading maps the file and checks every size and offset before it is used.
 */
public final class Safetensors implements AutoCloseable {
    private static final long MAX_HEADER = 100L << 20;
    private static final int ALIGNMENT = 8;
    private static final String METADATA = "__metadata__";
    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .build();

    /** Element types with their size in bytes. */
    public enum Type {
        F64(8),
        F32(4),
        F16(2),
        BF16(2),
        I64(8),
        I32(4),
        I16(2),
        I8(1),
        U8(1),
        BOOL(1);

        private final int bytes;

        Type(int bytes) {
            this.bytes = bytes;
        }
    }

    /** One tensor in a file; offsets count from the end of the header. */
    public record Entry(String name, Type type, List<Long> shape, long begin, long end) {
        /** Number of elements. */
        public long elements() {
            return (end - begin) / type.bytes;
        }
    }

    private final Path file;
    private final Arena arena = Arena.ofShared();
    private final Map<String, Entry> entries = new LinkedHashMap<>();
    private final Map<String, String> metadata = new LinkedHashMap<>();
    private MemorySegment data = MemorySegment.NULL;

    private Safetensors(Path file) {
        this.file = file;
    }

    /**
     * Opens a file for reading; close it after use.
     *
     * @throws DataException naming the file and what is wrong with it
     */
    public static Safetensors open(Path file) {
        Safetensors s = new Safetensors(file);
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            s.read(channel);
            return s;
        } catch (IOException e) {
            s.close();
            throw new DataException("cannot read " + file + ": " + e.getMessage(), e);
        } catch (DataException e) {
            s.close();
            throw e;
        }
    }

    private void read(FileChannel channel) throws IOException {
        long size = channel.size();
        require(size >= 8, "it has only " + size + " bytes, a safetensors file has at least 8");
        MemorySegment all = channel.map(FileChannel.MapMode.READ_ONLY, 0, size, arena);
        long header = all.get(ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), 0);
        require(header >= 2 && header <= MAX_HEADER && header <= size - 8, "its header is said to be " + header
                + " bytes long, the file has " + size + "; it is cut off or not a safetensors file");
        JsonNode root;
        try {
            root = JSON.readTree(all.asSlice(8, header).toArray(ValueLayout.JAVA_BYTE));
        } catch (JacksonException e) {
            throw new DataException(file + ": the header is not JSON: " + e.getOriginalMessage(), e);
        }
        require(root.isObject(), "the header is not a JSON object");
        data = all.asSlice(8 + header);
        for (Map.Entry<String, JsonNode> property : root.properties()) {
            if (property.getKey().equals(METADATA)) {
                property.getValue().properties().forEach(e -> metadata.put(e.getKey(), e.getValue().asString()));
            } else {
                entries.put(property.getKey(), entry(property.getKey(), property.getValue()));
            }
        }
        List<Entry> byOffset = new ArrayList<>(entries.values());
        byOffset.sort(Comparator.comparingLong(Entry::begin));
        for (int i = 1; i < byOffset.size(); i++) {
            require(byOffset.get(i).begin() >= byOffset.get(i - 1).end(), "tensors " + byOffset.get(i - 1).name() + " and "
                    + byOffset.get(i).name() + " overlap");
        }
    }

    private Entry entry(String name, JsonNode node) {
        JsonNode offsets = node.path("data_offsets");
        require(node.path("dtype").isString() && node.path("shape").isArray() && offsets.size() == 2, "tensor " + name
                + " lacks dtype, shape or data_offsets");
        Type type = Arrays.stream(Type.values())
                .filter(t -> t.name().equals(node.path("dtype").asString()))
                .findFirst()
                .orElseThrow(() -> new DataException(file + ": tensor " + name + " has the type " + node.path("dtype").asString()
                        + "; readable are " + Arrays.toString(Type.values())));
        List<Long> shape = new ArrayList<>();
        long bytes = type.bytes;
        for (JsonNode d : node.path("shape")) {
            require(d.isIntegralNumber() && d.asLong() >= 0, "tensor " + name + " has the size " + d);
            shape.add(d.asLong());
            try {
                bytes = Math.multiplyExact(bytes, d.asLong());
            } catch (ArithmeticException e) {
                throw new DataException(file + ": tensor " + name + " is too large: " + node.path("shape"), e);
            }
        }
        long begin = offsets.get(0).asLong(-1);
        long end = offsets.get(1).asLong(-1);
        require(begin >= 0 && end >= begin && end <= data.byteSize(), "tensor " + name + " lies at bytes " + begin + " to " + end
                + " of " + data.byteSize() + "; the file is cut off");
        require(end - begin == bytes, "tensor " + name + " has " + (end - begin) + " bytes, its shape needs " + bytes);
        return new Entry(name, type, List.copyOf(shape), begin, end);
    }

    private void require(boolean holds, String text) {
        if (!holds) {
            throw new DataException(file + ": " + text);
        }
    }

    /** Names in the order of the header. */
    public Set<String> names() {
        return Collections.unmodifiableSet(entries.keySet());
    }

    /** Text values stored beside the tensors. */
    public Map<String, String> metadata() {
        return Collections.unmodifiableMap(metadata);
    }

    /** Type, shape and place of a tensor. */
    public Entry entry(String name) {
        Entry e = entries.get(name);
        require(e != null, "there is no tensor " + name + "; it holds " + entries.size() + " tensors"
                + (entries.isEmpty() ? "" : " such as " + entries.keySet().iterator().next()));
        return e;
    }

    /** The raw bytes of a tensor, mapped; valid until this is closed. */
    public MemorySegment bytes(String name) {
        Entry e = entry(name);
        return data.asSlice(e.begin(), e.end() - e.begin());
    }

    /** A float tensor of any width as float32. */
    public float[] floats(String name) {
        Entry e = entry(name);
        MemorySegment s = bytes(name);
        float[] values = new float[Math.toIntExact(e.elements())];
        switch (e.type()) {
            case F32 -> MemorySegment.copy(s, le(ValueLayout.JAVA_FLOAT_UNALIGNED), 0, values, 0, values.length);
            case F64 -> {
                for (int i = 0; i < values.length; i++) {
                    values[i] = (float) s.get(le(ValueLayout.JAVA_DOUBLE_UNALIGNED), 8L * i);
                }
            }
            case F16 -> {
                for (int i = 0; i < values.length; i++) {
                    values[i] = Float.float16ToFloat(s.get(le(ValueLayout.JAVA_SHORT_UNALIGNED), 2L * i));
                }
            }
            case BF16 -> {
                for (int i = 0; i < values.length; i++) {
                    values[i] = Float.intBitsToFloat(s.get(le(ValueLayout.JAVA_SHORT_UNALIGNED), 2L * i) << 16);
                }
            }
            default -> throw new DataException(file + ": tensor " + name + " has the type " + e.type() + ", not floating point");
        }
        return values;
    }

    /** Any tensor as float64; whole numbers of 64 bits must fit in 53. */
    public double[] doubles(String name) {
        Entry e = entry(name);
        MemorySegment s = bytes(name);
        double[] values = new double[Math.toIntExact(e.elements())];
        switch (e.type()) {
            case F64 -> MemorySegment.copy(s, le(ValueLayout.JAVA_DOUBLE_UNALIGNED), 0, values, 0, values.length);
            case F32, F16, BF16 -> {
                float[] floats = floats(name);
                Arrays.setAll(values, i -> floats[i]);
            }
            default -> {
                long[] longs = longs(name);
                Arrays.setAll(values, i -> longs[i]);
            }
        }
        return values;
    }

    /** A tensor of whole numbers of any width. */
    public long[] longs(String name) {
        Entry e = entry(name);
        MemorySegment s = bytes(name);
        long[] values = new long[Math.toIntExact(e.elements())];
        for (int i = 0; i < values.length; i++) {
            values[i] = switch (e.type()) {
                case I64 -> s.get(le(ValueLayout.JAVA_LONG_UNALIGNED), 8L * i);
                case I32 -> s.get(le(ValueLayout.JAVA_INT_UNALIGNED), 4L * i);
                case I16 -> s.get(le(ValueLayout.JAVA_SHORT_UNALIGNED), 2L * i);
                case I8 -> s.get(ValueLayout.JAVA_BYTE, i);
                case U8, BOOL -> s.get(ValueLayout.JAVA_BYTE, i) & 0xff;
                default -> throw new DataException(file + ": tensor " + name + " has the type " + e.type() + ", not whole numbers");
            };
        }
        return values;
    }

    private static <L extends ValueLayout> L le(L layout) {
        @SuppressWarnings("unchecked") // withOrder keeps the kind of layout
        L ordered = (L) layout.withOrder(ByteOrder.LITTLE_ENDIAN);
        return ordered;
    }

    @Override
    public void close() {
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }

    /** Collects tensors and writes them in the order they were added; equal content gives equal bytes. */
    public static final class Writer {
        private record Part(String name, List<Long> shape, float[] values) {}

        private final List<Part> parts = new ArrayList<>();
        private final Map<String, String> metadata = new LinkedHashMap<>();

        /** Adds a float32 tensor; the array is not copied. */
        public Writer add(String name, List<Long> shape, float[] values) {
            long elements = shape.stream().reduce(1L, Math::multiplyExact);
            if (elements != values.length) {
                throw new ShapeException("tensor " + name + ": " + values.length + " values for shape " + shape);
            }
            if (name.equals(METADATA) || parts.stream().anyMatch(p -> p.name().equals(name))) {
                throw new IllegalArgumentException("the tensor name " + name + " is taken");
            }
            parts.add(new Part(name, List.copyOf(shape), values));
            return this;
        }

        /** Adds a text value. */
        public Writer metadata(String key, String value) {
            metadata.put(key, value);
            return this;
        }

        /**
         * Writes the file beside and renames it.
         *
         * @throws DataException when it cannot be written; the old file is unchanged
         */
        public void write(Path file) {
            byte[] header = header();
            AtomicFile.write(file, out -> {
                out.write(ByteBuffer.allocate(8)
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .putLong(header.length)
                        .array());
                out.write(header);
                for (Part part : parts) {
                    writeFloats(out, part.values());
                }
            });
        }

        private byte[] header() {
            ObjectNode root = JSON.createObjectNode();
            if (!metadata.isEmpty()) {
                ObjectNode texts = root.putObject(METADATA);
                metadata.forEach(texts::put);
            }
            long offset = 0;
            for (Part part : parts) {
                ObjectNode node = root.putObject(part.name());
                node.put("dtype", Type.F32.name());
                part.shape().forEach(node.putArray("shape")::add);
                long end = offset + 4L * part.values().length;
                node.putArray("data_offsets").add(offset).add(end);
                offset = end;
            }
            byte[] json = JSON.writeValueAsBytes(root);
            byte[] padded = Arrays.copyOf(json, (json.length + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
            Arrays.fill(padded, json.length, padded.length, (byte) ' ');
            return padded;
        }

        private static void writeFloats(OutputStream out, float[] values) throws IOException {
            ByteBuffer chunk = ByteBuffer.allocate(1 << 16).order(ByteOrder.LITTLE_ENDIAN);
            for (int i = 0; i < values.length; ) {
                int count = Math.min(values.length - i, chunk.capacity() / 4);
                chunk.asFloatBuffer().put(values, i, count);
                out.write(chunk.array(), 0, 4 * count);
                i += count;
            }
        }
    }

    @Override
    public String toString() {
        return file + ": " + entries.size() + " tensors";
    }
}
