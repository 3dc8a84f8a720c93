package dev.voxgrad.engine.plan;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.stream.StreamSupport;
import tools.jackson.databind.JsonNode;

/**
 * The keys {@code labels} and {@code regions_class_order} of a {@code dataset.json} with regions. Every entry but background and ignore
 * is a region, in the order of the file; one number is a region of one label.
 */
final class RegionKeys {
    private static final String ORDER = "regions_class_order";

    private final Path file;
    private final JsonNode labels;
    private final JsonNode order;

    RegionKeys(Path file, JsonNode root) {
        this.file = file;
        this.labels = root.get("labels");
        this.order = root.path(ORDER);
    }

    /**
     * Reads them.
     *
     * @throws dev.voxgrad.engine.DataException naming file, key and what is expected
     * @throws dev.voxgrad.engine.ConfigException when the labels break a rule of {@link LabelNames}
     */
    LabelNames labels() {
        Map<String, List<Integer>> byName = new LinkedHashMap<>();
        Map<String, Integer> byValue = new LinkedHashMap<>();
        TreeSet<Integer> foreground = new TreeSet<>();
        labels.propertyStream().forEach(e -> {
            String key = "labels." + e.getKey();
            JsonNode value = e.getValue();
            if (e.getKey().equals(LabelNames.BACKGROUND) || e.getKey().equals(LabelNames.IGNORE)) {
                byValue.put(e.getKey(), DatasetDescription.wholeNumber(file, key, value));
                return;
            }
            List<Integer> members =
                    value.isArray() ? numbers(key, value) : List.of(DatasetDescription.wholeNumber(file, key, value));
            if (members.isEmpty() || members.contains(0)) {
                throw DatasetDescription.wrong(file, key, value, "one label or more, and not 0, which is background");
            }
            byName.put(e.getKey(), members);
            foreground.addAll(members);
        });
        Optional<Integer> ignore = Optional.ofNullable(byValue.remove(LabelNames.IGNORE));
        foreground.forEach(label -> byValue.put("label " + label, label));
        ignore.ifPresent(label -> byValue.put(LabelNames.IGNORE, label)); // behind the labels, as its value is
        List<Integer> values = order(byName);
        List<LabelRegion> regions = new ArrayList<>();
        byName.forEach((name, members) -> regions.add(new LabelRegion(name, members, values.get(regions.size()))));
        return new LabelNames(byValue, regions);
    }

    private List<Integer> order(Map<String, List<Integer>> regions) {
        String valid = "a list of " + regions.size() + " labels, what a mask holds for each of the regions "
                + regions.keySet() + "; later ones overwrite earlier ones";
        if (!order.isArray() || order.size() != regions.size()) {
            throw DatasetDescription.wrong(file, ORDER, order, valid);
        }
        return numbers(ORDER, order);
    }

    private List<Integer> numbers(String key, JsonNode list) {
        return StreamSupport.stream(list.spliterator(), false)
                .map(number -> DatasetDescription.wholeNumber(file, key, number))
                .toList();
    }
}
