package dev.voxgrad.engine.plan;

import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.DataException;
import dev.voxgrad.engine.JsonDefault;
import dev.voxgrad.engine.JsonDefaults;
import java.io.IOException;
import java.lang.reflect.RecordComponent;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.stream.Collectors;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.exc.StreamReadException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.MapperFeature;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.exc.MismatchedInputException;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.MissingNode;

/** JSON of this project: strict for its own files, with errors that name file, key and what is valid. */
final class Json {
    private static final JsonMapper STRICT = JsonMapper.builder()
            .enable(
                    DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES,
                    DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES,
                    DeserializationFeature.FAIL_ON_NULL_CREATOR_PROPERTIES,
                    DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES,
                    DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
            .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS, MapperFeature.SORT_PROPERTIES_ALPHABETICALLY)
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(SerializationFeature.INDENT_OUTPUT)
            .build();

    private Json() {}

    /** Reads one of the project's own files into a record. */
    static <T> T read(Path file, Class<T> type) {
        String text = text(file, "");
        JsonNode tree = MissingNode.getInstance();
        try {
            tree = STRICT.readTree(text);
            requireKeys(file, "", tree, type);
            JsonDefaults.fill(tree, type);
            return STRICT.treeToValue(tree, type);
        } catch (JacksonException e) {
            throw new ConfigException(file + ": " + explain(e, tree), e);
        }
    }

    /** Checks the keys of an object, and of the objects in it, against the components of a record. */
    private static void requireKeys(Path file, String prefix, JsonNode node, Class<?> type) {
        if (!node.isObject()) {
            throw new ConfigException(file + ": " + (prefix.isEmpty() ? "the file" : "key \"" + prefix + "\"")
                    + " must hold a JSON object, found " + node.getNodeType());
        }
        Set<String> valid = new LinkedHashSet<>();
        Set<String> missing = new LinkedHashSet<>();
        for (RecordComponent component : type.getRecordComponents()) {
            valid.add(component.getName());
            if (!component.isAnnotationPresent(JsonDefault.class)) {
                missing.add(component.getName());
            }
        }
        Set<String> unknown = new LinkedHashSet<>(node.propertyNames());
        unknown.removeAll(valid);
        missing.removeAll(node.propertyNames());
        if (!unknown.isEmpty() || !missing.isEmpty()) {
            String where = prefix.isEmpty() ? "" : " in \"" + prefix + "\"";
            throw new ConfigException(file + ": "
                    + (unknown.isEmpty() ? "" : "unknown keys " + unknown + where + (missing.isEmpty() ? "" : ", "))
                    + (missing.isEmpty() ? "" : "missing keys " + missing + where)
                    + "; valid keys: " + valid);
        }
        for (RecordComponent component : type.getRecordComponents()) {
            if (component.getType().isRecord() && node.has(component.getName())) {
                String key = prefix.isEmpty() ? component.getName() : prefix + "." + component.getName();
                requireKeys(file, key, node.get(component.getName()), component.getType());
            }
        }
    }

    /** Reads any JSON file. */
    static JsonNode tree(Path file, String fix) {
        String text = text(file, fix);
        try {
            return STRICT.readTree(text);
        } catch (JacksonException e) {
            throw new DataException(file + ": not valid JSON: " + e.getOriginalMessage() + place(e), e);
        }
    }

    /** A record as text; keys that have their default are left out. */
    static String write(Record value) {
        return JsonDefaults.write(STRICT, value) + "\n";
    }

    private static String text(Path file, String fix) {
        try {
            return Files.readString(file);
        } catch (NoSuchFileException e) {
            throw new DataException(file + ": no such file" + fix, e);
        } catch (IOException e) {
            throw new DataException(file + ": cannot be read: " + e.getMessage(), e);
        }
    }

    private static String explain(JacksonException e, JsonNode tree) {
        String key = e.getPath().stream()
                .map(r -> r.getPropertyName() == null ? "[" + r.getIndex() + "]" : r.getPropertyName())
                .collect(Collectors.joining("."))
                .replace(".[", "[");
        for (Throwable cause = e; cause != null; cause = cause.getCause()) {
            if (cause instanceof ConfigException) {
                return cause.getMessage();
            }
        }
        if (e instanceof MismatchedInputException mismatch && mismatch.getTargetType() != null && !key.isEmpty()) {
            return "key \"" + key + "\" is " + found(e, tree) + "; it must be " + describe(mismatch.getTargetType());
        }
        if (e instanceof StreamReadException) {
            return "not valid JSON: " + firstLine(e) + place(e);
        }
        return firstLine(e) + place(e);
    }

    private static JsonNode found(JacksonException e, JsonNode tree) {
        JsonNode node = tree;
        for (JacksonException.Reference step : e.getPath()) {
            node = step.getPropertyName() == null ? node.path(step.getIndex()) : node.path(step.getPropertyName());
        }
        return node;
    }

    private static String describe(Class<?> type) {
        if (type.isEnum()) {
            return "one of " + Arrays.toString(type.getEnumConstants());
        }
        if (type == int.class || type == Integer.class || type == long.class) {
            return "a whole number";
        }
        if (type == double.class || type == Double.class) {
            return "a number";
        }
        if (type == boolean.class) {
            return "true or false";
        }
        return type == String.class ? "a text" : Collection.class.isAssignableFrom(type) ? "a list" : "an object";
    }

    private static String firstLine(JacksonException e) {
        return e.getOriginalMessage().lines().findFirst().orElse("");
    }

    private static String place(JacksonException e) {
        return e.getLocation() == null || e.getLocation().getLineNr() < 1
                ? ""
                : " (line " + e.getLocation().getLineNr() + ")";
    }
}
