package dev.voxgrad.engine.plan;

import dev.voxgrad.engine.ConfigException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * The labels of a task by name. {@code background} is 0, the others follow without a gap; {@code ignore}, if present, is the
 * highest and marks voxels that enter neither loss nor scores.
 *
 * @param byName values by name
 * @param regions what is segmented instead of single labels, in the order in which they are written into a mask; empty = the labels
 */
public record LabelNames(Map<String, Integer> byName, List<LabelRegion> regions) {
    /** The most values that one byte per voxel can hold. */
    static final int MAXIMUM = 256;

    static final String BACKGROUND = "background";
    static final String IGNORE = "ignore";

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
        regions = List.copyOf(regions);
        requireRegions(regions, byValue.size() - (ignore == null ? 1 : 2));
    }

    /** Labels without regions. */
    public LabelNames(Map<String, Integer> byName) {
        this(byName, List.of());
    }

    /** Each has labels, a name and a value of its own, and every label is somewhere. */
    private static void requireRegions(List<LabelRegion> regions, int highest) {
        Set<Integer> covered = new TreeSet<>();
        Map<Set<Integer>, String> byLabels = new HashMap<>();
        Set<String> names = new HashSet<>();
        for (LabelRegion region : regions) {
            String where = "regions: \"" + region.name() + "\"";
            if (!names.add(region.name())) {
                throw new ConfigException(where + " is there twice; give each region its own name");
            }
            String other = byLabels.put(Set.copyOf(region.labels()), region.name());
            if (other != null) {
                throw new ConfigException(where + " has the same labels as \"" + other + "\": " + region.labels());
            }
            for (int label : region.labels()) {
                if (label < 1 || label > highest) {
                    throw new ConfigException(
                            where + " has the label " + label + ", the foreground is 1 to " + highest);
                }
            }
            if (region.value() < 1 || region.value() > highest) {
                throw new ConfigException(where + " is written as " + region.value()
                        + ", which is no foreground label; use 1 to " + highest);
            }
            covered.addAll(region.labels());
        }
        if (!regions.isEmpty() && covered.size() != highest) {
            throw new ConfigException(
                    "regions: the labels 1 to " + highest + " must each be in a region, found " + covered);
        }
    }

    /** Whether regions are segmented, not single labels. */
    public boolean hasRegions() {
        return !regions.isEmpty();
    }

    /** What the data set names: background, ignore, and the labels or regions. */
    int entries() {
        return hasRegions() ? 1 + regions.size() + (ignore().isPresent() ? 1 : 0) : byName.size();
    }

    /** Background and foreground labels, without ignore. */
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
