package dev.voxgrad.engine.metric;

import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.plan.LabelNames;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * What is scored: one label, or several taken together.
 *
 * @param key in files, as nnU-Net writes it: {@code 1} for a label, {@code (1, 2)} for a region, {@code (1,)} for one of a single label
 * @param name for people
 * @param labels ascending
 */
public record Region(String key, String name, List<Integer> labels) {
    /** Copies the list. */
    public Region {
        labels = List.copyOf(labels);
    }

    /** One label. */
    public static Region ofLabel(int label, String name) {
        return new Region(Integer.toString(label), name, List.of(label));
    }

    /** Each foreground label by itself, or the regions of a task that has regions. */
    public static List<Region> foreground(LabelNames names) {
        if (names.hasRegions()) {
            return names.regions().stream()
                    .map(region -> ofLabels(region.name(), region.labels()))
                    .toList();
        }
        return names.foreground().stream()
                .map(label -> ofLabel(label, names.name(label)))
                .toList();
    }

    /** Whether it is one label by itself, not a region beside the labels. */
    boolean isLabel() {
        return labels.size() == 1 && key.equals(labels.getFirst().toString());
    }

    /** Several labels. */
    public static Region ofLabels(String name, List<Integer> labels) {
        TreeSet<Integer> ascending = new TreeSet<>(labels);
        String key = ascending.stream().map(String::valueOf).collect(Collectors.joining(", "))
                + (ascending.size() == 1 ? "," : "");
        return new Region("(" + key + ")", name, List.copyOf(ascending));
    }

    /**
     * Reads {@code NAME=LABEL,LABEL,...}; a label is a foreground label's number or name.
     *
     * @throws ConfigException for another form or an unknown label
     */
    public static Region parse(String text, LabelNames names) {
        int equals = text.indexOf('=');
        if (equals < 1 || equals == text.length() - 1) {
            throw new ConfigException("region \"" + text + "\" is not NAME=LABEL,LABEL, such as whole=1,2");
        }
        List<Integer> labels = new ArrayList<>();
        for (String part : text.substring(equals + 1).split(",", -1)) {
            labels.add(label(text, part.strip(), names));
        }
        return ofLabels(text.substring(0, equals).strip(), labels);
    }

    private static int label(String text, String part, LabelNames names) {
        return names.foreground().stream()
                .filter(label ->
                        names.name(label).equals(part) || label.toString().equals(part))
                .findFirst()
                .orElseThrow(() -> new ConfigException("region \"" + text + "\": \"" + part
                        + "\" is no foreground label; there are "
                        + names.foreground().stream()
                                .map(label -> label + " (" + names.name(label) + ")")
                                .toList()));
    }

    /** Whether a label belongs to it, for every value a label map can hold. */
    boolean[] members() {
        boolean[] member = new boolean[1 << Short.SIZE];
        labels.forEach(label -> member[label] = true);
        return member;
    }
}
