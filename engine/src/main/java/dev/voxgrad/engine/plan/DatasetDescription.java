package dev.voxgrad.engine.plan;

import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.DataException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.JsonNode;

/**
 * What {@code dataset.json} says, in nnU-Net's format. Keys that are not known are ignored: the file belongs to the user's data.
 *
 * @param file where it was read
 * @param channelNames in the order of the channel numbers
 * @param labels values by name, and regions; the labels of regions have no names of their own, they are called "label 1", "label 2", ...
 * @param numTraining number of training cases
 * @param fileEnding such as {@code .nii.gz}
 * @param dataset cases listed one by one; empty = all files in imagesTr
 */
public record DatasetDescription(
        Path file,
        List<String> channelNames,
        LabelNames labels,
        int numTraining,
        String fileEnding,
        Map<String, Files> dataset) {
    /** The name of the file in a data set's folder. */
    public static final String FILE_NAME = "dataset.json";

    /** Files of one listed case, as they are written in the file. */
    public record Files(List<String> images, String label) {
        /** Copies the list. */
        public Files {
            images = List.copyOf(images);
        }
    }

    /** Copies the collections. */
    public DatasetDescription {
        channelNames = List.copyOf(channelNames);
        dataset = Collections.unmodifiableMap(new LinkedHashMap<>(dataset));
    }

    /**
     * Reads the description of a data set.
     *
     * @param folder of the data set
     * @throws DataException naming file, keys and what is expected
     */
    public static DatasetDescription read(Path folder) {
        if (!java.nio.file.Files.isDirectory(folder)) {
            throw new DataException(folder + ": "
                    + (java.nio.file.Files.exists(folder) ? "is not a folder" : "no such folder")
                    + "; give a folder with " + FILE_NAME);
        }
        Path file = folder.resolve(FILE_NAME);
        JsonNode root = Json.tree(file, "; every data set folder needs one with the keys " + requiredKeys() + "");
        if (!root.isObject()) {
            throw new DataException(file + ": must hold a JSON object with the keys " + requiredKeys());
        }
        List<String> missing = new ArrayList<>();
        for (String key : requiredKeys()) {
            if (!root.has(key) && !(key.equals("channel_names") && root.has("modality"))) {
                missing.add(key);
            }
        }
        if (!missing.isEmpty()) {
            throw new DataException(file + ": missing keys " + missing + "; required are " + requiredKeys()
                    + ", present are " + root.propertyNames());
        }
        return new DatasetDescription(
                file,
                channels(file, root.has("channel_names") ? "channel_names" : "modality", root),
                labels(file, root),
                wholeNumber(file, "numTraining", root.get("numTraining")),
                ending(file, root.get("file_ending")),
                listed(file, root.get("dataset")));
    }

    private static List<String> requiredKeys() {
        return List.of("channel_names", "labels", "numTraining", "file_ending");
    }

    private static List<String> channels(Path file, String key, JsonNode root) {
        JsonNode node = root.get(key);
        List<String> names = new ArrayList<>();
        for (int i = 0; node.isObject() && i < node.size(); i++) {
            JsonNode name = node.get(Integer.toString(i));
            if (name != null && name.isString()) {
                names.add(name.stringValue());
            }
        }
        if (names.isEmpty() || names.size() != node.size()) {
            throw wrong(file, key, node, "an object with the keys \"0\", \"1\", ... and the channels' names");
        }
        return names;
    }

    private static LabelNames labels(Path file, JsonNode root) {
        JsonNode node = root.get("labels");
        if (!node.isObject()) {
            throw wrong(
                    file,
                    "labels",
                    node,
                    "an object that gives each name a whole number, or a list of them for a region");
        }
        try {
            boolean regions = node.valueStream().anyMatch(value -> value.isArray() && value.size() > 1);
            return regions ? new RegionKeys(file, root).labels() : new LabelNames(plainLabels(file, node));
        } catch (ConfigException e) {
            throw new DataException(file + ": " + e.getMessage(), e);
        }
    }

    /** Lists with a single entry are labels. */
    private static Map<String, Integer> plainLabels(Path file, JsonNode node) {
        Map<String, Integer> byName = new LinkedHashMap<>();
        node.propertyStream().forEach(e -> {
            String key = "labels." + e.getKey();
            JsonNode value = e.getValue();
            boolean special =
                    e.getKey().equals(LabelNames.BACKGROUND) || e.getKey().equals(LabelNames.IGNORE);
            if (value.isArray() && (special || value.isEmpty())) {
                throw wrong(file, key, value, "a whole number");
            }
            byName.put(e.getKey(), wholeNumber(file, key, value.isArray() ? value.get(0) : value));
        });
        return byName;
    }

    private static String ending(Path file, JsonNode node) {
        if (!node.isString() || !node.stringValue().startsWith(".")) {
            throw wrong(file, "file_ending", node, "a text that starts with a dot, such as \".nii.gz\"");
        }
        return node.stringValue();
    }

    private static Map<String, Files> listed(Path file, JsonNode node) {
        Map<String, Files> cases = new LinkedHashMap<>();
        if (node == null) {
            return cases;
        }
        node.propertyStream().forEach(e -> {
            JsonNode images = e.getValue().get("images");
            JsonNode label = e.getValue().get("label");
            if (images == null || !images.isArray() || images.isEmpty() || label == null || !label.isString()) {
                throw wrong(file, "dataset." + e.getKey(), e.getValue(), "{\"images\": [paths], \"label\": path}");
            }
            List<String> paths = new ArrayList<>();
            images.forEach(path -> paths.add(path.asString()));
            cases.put(e.getKey(), new Files(paths, label.stringValue()));
        });
        return cases;
    }

    static int wholeNumber(Path file, String key, JsonNode node) {
        if (!node.isIntegralNumber() || !node.canConvertToInt() || node.intValue() < 0) {
            throw wrong(file, key, node, "a whole number of 0 or more");
        }
        return node.intValue();
    }

    static DataException wrong(Path file, String key, JsonNode found, String valid) {
        return new DataException(file + ": key \"" + key + "\" is " + found + "; it must be " + valid);
    }
}
