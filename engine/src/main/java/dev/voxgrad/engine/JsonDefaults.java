package dev.voxgrad.engine;

import java.lang.reflect.RecordComponent;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** Adds and removes the keys of a JSON object that have their {@link JsonDefault}, also in the records of a record. */
public final class JsonDefaults {
    private static final JsonMapper JSON = JsonMapper.builder().build();

    private JsonDefaults() {}

    /**
     * Reads a record from text in which keys that have a default may be missing.
     *
     * @throws JacksonException when the text is not valid JSON or not the record
     */
    public static <T extends Record> T read(JsonMapper mapper, String text, Class<T> type) {
        JsonNode tree = mapper.readTree(text);
        fill(tree, type);
        return mapper.treeToValue(tree, type);
    }

    /** A record as text without the keys that have their default. */
    public static String write(JsonMapper mapper, Record value) {
        JsonNode tree = mapper.valueToTree(value);
        strip(tree, value.getClass());
        return mapper.writeValueAsString(tree);
    }

    /** Adds the missing keys of a record that have a default; anything but an object stays as it is. */
    public static void fill(JsonNode node, Class<?> type) {
        if (!(node instanceof ObjectNode object) || !type.isRecord()) {
            return;
        }
        for (RecordComponent component : type.getRecordComponents()) {
            JsonDefault missing = component.getAnnotation(JsonDefault.class);
            if (missing != null && !object.has(component.getName())) {
                object.set(component.getName(), JSON.readTree(missing.value()));
            }
            fill(object.path(component.getName()), component.getType());
        }
    }

    /** Removes the keys of a record that have their default. */
    static void strip(JsonNode node, Class<?> type) {
        if (!(node instanceof ObjectNode object) || !type.isRecord()) {
            return;
        }
        for (RecordComponent component : type.getRecordComponents()) {
            JsonDefault missing = component.getAnnotation(JsonDefault.class);
            JsonNode value = object.path(component.getName());
            strip(value, component.getType()); // first: a record of nothing but defaults is {} then
            if (missing != null && value.toString().equals(missing.value())) {
                object.remove(component.getName());
            }
        }
    }
}
