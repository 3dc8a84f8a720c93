package dev.voxgrad.engine.plan;

import dev.voxgrad.engine.ConfigException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.TreeMap;

/**
 * The labels of a task by name. {@code background} is 0, the others follow without a gap; {@code ignore}, if present, is the
 * highest and marks voxels that enter neither loss nor scores.
 */
public record LabelNames(Map<String, Integer> byName) {
    /** The most values that one byte per voxel can hold. */
    static final int MAXIMUM = 256;

    private static final String BACKGROUND = "background";
    private static final String IGNORE = "ignore";

    /**
     * Checks the rules.
     *
     * @throws ConfigException naming the label that breaks one
     */
    public LabelNames {
        byName = Collections.unmodifiableMap(new LinkedHashMap<>(byName));
        Integer background = byName.get(BACKGROUND);
        if (background == null || background != 0) {
            throw new ConfigException("labels: \"background\" must be there with the value 0, found "
                    + (background == null ? "names " + byName.keySet() : "the value " + background));
        }
        TreeMap<Integer, String> byValue = new TreeMap<>();
        byName.forEach((name, value) -> {
            String other = byValue.put(value, name);
            if (other != null) {
                throw new ConfigException("labels: \"" + other + "\" and \"" + name + "\" both have the value " + value
                        + "; give each its own");
            }
        });
        if (byValue.firstKey() != 0 || byValue.lastKey() != byValue.size() - 1) {
            throw new ConfigException(
                    "labels: the values must be 0, 1, 2, ... without a gap, found " + byValue.keySet());
        }
        if (byValue.size() < 2 || byValue.size() > MAXIMUM) {
            throw new ConfigException("labels: " + byValue.size() + " labels; 2 to " + MAXIMUM + " are possible");
        }
        Integer ignore = byName.get(IGNORE);
        if (ignore != null && (ignore + 1 != byValue.size() || byValue.size() < 3)) {
            throw new ConfigException(
                    "labels: \"ignore\" is " + ignore + "; it must be the highest value, after background and at "
                            + "least one foreground label: " + Math.max(2, byValue.size() - 1));
        }
    }

    /** Output channels of a network: background and foreground labels, without ignore. */
    public int classes() {
        return byName.size() - (byName.containsKey(IGNORE) ? 1 : 0);
    }

    /** The foreground labels, ascending. */
    public List<Integer> foreground() {
        List<Integer> labels = new ArrayList<>();
        for (int label = 1; label < classes(); label++) {
            labels.add(label);
        }
        return labels;
    }

    /** The value of voxels that count nowhere. */
    public OptionalInt ignore() {
        return byName.containsKey(IGNORE) ? OptionalInt.of(byName.get(IGNORE)) : OptionalInt.empty();
    }

    /** The name of a label. */
    public String name(int label) {
        return byName.entrySet().stream()
                .filter(e -> e.getValue() == label)
                .map(Map.Entry::getKey)
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no label has the value " + label + ": " + byName));
    }
}
