package dev.voxgrad.engine;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.json.JsonFactory;

/**
 * The JSON header of a safetensors file: where each tensor lies in the data that follows, plus free text metadata.
 * Parsed as a stream, so that a hostile header costs no more memory than the entries it really holds.
 */
record SafetensorsHeader(Map<String, Entry> entries, Map<String, String> metadata) {
    static final String METADATA = "__metadata__";

    private static final JsonFactory JSON = JsonFactory.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .build();

    /** One tensor: {@code [begin, end)} are byte offsets from the start of the data. */
    record Entry(ElementType type, List<Long> shape, long begin, long end) {}

    /** Parses and validates against {@code dataBytes}, the bytes that really follow the header. */
    static SafetensorsHeader parse(Path file, byte[] json, long dataBytes) {
        try (JsonParser parser = JSON.createParser(ObjectReadContext.empty(), json)) {
            SafetensorsHeader header = new Reader(file, parser, dataBytes).read();
            header.checkLayout(file, dataBytes);
            return header;
        } catch (JacksonException e) {
            throw new DataException(file + ": safetensors header is not valid JSON: " + e.getOriginalMessage(), e);
        }
    }

    /** Tensors must fill the data without gap or overlap; anything else hides bytes or shares them. */
    private void checkLayout(Path file, long dataBytes) {
        List<Map.Entry<String, Entry>> byOffset = new ArrayList<>(entries.entrySet());
        byOffset.sort(Comparator.<Map.Entry<String, Entry>>comparingLong(
                        e -> e.getValue().begin())
                .thenComparingLong(e -> e.getValue().end()));
        long position = 0;
        for (Map.Entry<String, Entry> e : byOffset) {
            if (e.getValue().begin() != position) {
                throw new DataException(file + ": tensor '" + e.getKey() + "' begins at byte "
                        + e.getValue().begin() + " but the tensor before it ends at " + position
                        + "; tensors must follow each other without gap or overlap");
            }
            position = e.getValue().end();
        }
        if (position != dataBytes) {
            throw new DataException(file + ": tensors end at data byte " + position + " but the file holds " + dataBytes
                    + " data bytes");
        }
    }

    private record Reader(Path file, JsonParser parser, long dataBytes) {
        SafetensorsHeader read() {
            Map<String, Entry> entries = new LinkedHashMap<>();
            Map<String, String> metadata = new LinkedHashMap<>();
            expect(parser.nextToken(), JsonToken.START_OBJECT, "header");
            while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
                String name = parser.currentName();
                if (name.equals(METADATA)) {
                    readMetadata(metadata);
                } else {
                    entries.put(name, readEntry(name));
                }
            }
            expect(parser.currentToken(), JsonToken.END_OBJECT, "header");
            if (parser.nextToken() != null) {
                throw refuse("header", "has text after its closing brace");
            }
            return new SafetensorsHeader(Collections.unmodifiableMap(entries), Collections.unmodifiableMap(metadata));
        }

        private void readMetadata(Map<String, String> metadata) {
            expect(parser.nextToken(), JsonToken.START_OBJECT, METADATA);
            while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
                String key = parser.currentName();
                expect(parser.nextToken(), JsonToken.VALUE_STRING, METADATA + " " + key);
                metadata.put(key, parser.getString());
            }
        }

        private Entry readEntry(String name) {
            ElementType type = null;
            List<Long> shape = null;
            List<Long> offsets = null;
            expect(parser.nextToken(), JsonToken.START_OBJECT, name);
            while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
                String field = parser.currentName();
                switch (field) {
                    case "dtype" -> type = readType(name);
                    case "shape" -> shape = readNumbers(name, field);
                    case "data_offsets" -> offsets = readNumbers(name, field);
                    default -> throw refuse(name, "has the unknown field '" + field + "'");
                }
            }
            if (type == null || shape == null || offsets == null || offsets.size() != 2) {
                throw refuse(name, "needs dtype, shape and two data_offsets");
            }
            return checked(name, new Entry(type, shape, offsets.get(0), offsets.get(1)));
        }

        private ElementType readType(String name) {
            expect(parser.nextToken(), JsonToken.VALUE_STRING, name);
            String text = parser.getString();
            for (ElementType type : ElementType.values()) {
                if (type.name().equals(text)) {
                    return type;
                }
            }
            throw refuse(name, "has the unsupported dtype " + text);
        }

        private List<Long> readNumbers(String name, String field) {
            List<Long> numbers = new ArrayList<>();
            expect(parser.nextToken(), JsonToken.START_ARRAY, name + " " + field);
            while (parser.nextToken() != JsonToken.END_ARRAY) {
                expect(parser.currentToken(), JsonToken.VALUE_NUMBER_INT, name + " " + field);
                long value = parser.getLongValue();
                if (value < 0) {
                    throw refuse(name, "has a negative number in " + field + ": " + value);
                }
                numbers.add(value);
            }
            return List.copyOf(numbers);
        }

        private Entry checked(String name, Entry entry) {
            if (entry.begin() > entry.end() || entry.end() > dataBytes) {
                throw refuse(
                        name,
                        "has data_offsets [" + entry.begin() + ", " + entry.end() + "], outside the " + dataBytes
                                + " data bytes of the file");
            }
            long bytes = entry.type().bytes();
            try {
                for (long size : entry.shape()) {
                    bytes = Math.multiplyExact(bytes, size);
                }
            } catch (ArithmeticException e) {
                throw refuse(name, "has a shape beyond 64 bits: " + entry.shape());
            }
            if (bytes != entry.end() - entry.begin()) {
                throw refuse(
                        name,
                        entry.type() + " " + entry.shape() + " needs " + bytes + " bytes, its data_offsets span "
                                + (entry.end() - entry.begin()));
            }
            return entry;
        }

        private void expect(JsonToken got, JsonToken wanted, String where) {
            if (got != wanted) {
                throw refuse(where, "has " + got + " where " + wanted + " belongs");
            }
        }

        private DataException refuse(String where, String what) {
            return new DataException(file + ": safetensors entry '" + where + "' " + what);
        }
    }
}
