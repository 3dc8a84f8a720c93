package dev.voxgrad.engine.metric;

import dev.voxgrad.engine.ConfigException;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The metrics that are asked for.
 *
 * @param ofMasks metrics of label maps, in order
 * @param ofProbabilities metrics of probabilities, in order
 */
public record MetricSelection(Set<Metric> ofMasks, Set<CalibrationMetric> ofProbabilities) {
    /** Metrics that can be asked for together. */
    private static final Map<String, Set<Metric>> GROUPS = groups();

    private static final String CALIBRATION = "calibration";
    private static final String ALL = "all";

    /** Copies the sets. */
    public MetricSelection {
        ofMasks =
                Collections.unmodifiableSet(ofMasks.isEmpty() ? EnumSet.noneOf(Metric.class) : EnumSet.copyOf(ofMasks));
        ofProbabilities = Collections.unmodifiableSet(
                ofProbabilities.isEmpty() ? EnumSet.noneOf(CalibrationMetric.class) : EnumSet.copyOf(ofProbabilities));
    }

    /** Metrics of label maps only. */
    public static MetricSelection of(Metric... metrics) {
        return new MetricSelection(Set.of(metrics), Set.of());
    }

    private static Map<String, Set<Metric>> groups() {
        Map<String, Set<Metric>> groups = new LinkedHashMap<>();
        groups.put("overlap", EnumSet.range(Metric.DICE, Metric.SPECIFICITY));
        groups.put("volume", EnumSet.range(Metric.RELATIVE_VOLUME_DIFFERENCE, Metric.VOLUME_DIFFERENCE));
        groups.put("surface", EnumSet.range(Metric.HD, Metric.SURFEL_ASSD));
        groups.put("lesion", EnumSet.range(Metric.LESION_RECALL, Metric.LESION_MATCH_IOU));
        return groups;
    }

    /**
     * Reads names and groups; upper and lower case are alike.
     *
     * @param text such as {@code dice,hd95}, {@code overlap,lesion} or {@code all}
     * @param withProbabilities whether {@code all} has those of calibration, too
     * @throws ConfigException naming what is unknown and everything there is
     */
    public static MetricSelection parse(String text, boolean withProbabilities) {
        EnumSet<Metric> masks = EnumSet.noneOf(Metric.class);
        EnumSet<CalibrationMetric> probabilities = EnumSet.noneOf(CalibrationMetric.class);
        for (String part : text.split(",", -1)) {
            String name = part.strip().toLowerCase(Locale.ROOT);
            boolean all = name.equals(ALL);
            Set<Metric> group = GROUPS.getOrDefault(name, Set.of());
            List<Metric> ofMasks = Arrays.stream(Metric.values())
                    .filter(m -> all || m.id().equals(name) || group.contains(m))
                    .toList();
            List<CalibrationMetric> ofProbabilities = Arrays.stream(CalibrationMetric.values())
                    .filter(m -> (all && withProbabilities) || m.id().equals(name) || name.equals(CALIBRATION))
                    .toList();
            if (ofMasks.isEmpty() && ofProbabilities.isEmpty()) {
                throw new ConfigException("unknown metric \"" + part.strip() + "\"; there are " + names()
                        + ", the groups " + String.join(", ", GROUPS.keySet()) + ", " + CALIBRATION + ", and " + ALL);
            }
            masks.addAll(ofMasks);
            probabilities.addAll(ofProbabilities);
        }
        return new MetricSelection(masks, probabilities);
    }

    private static String names() {
        return String.join(
                ", ",
                Stream.concat(
                                Arrays.stream(Metric.values()).map(Metric::id),
                                Arrays.stream(CalibrationMetric.values()).map(CalibrationMetric::id))
                        .toList());
    }

    /** Whether lesions are looked for. */
    boolean hasLesions() {
        return ofMasks.stream().anyMatch(GROUPS.get("lesion")::contains);
    }

    /** Names of the columns of a metric: those of nnU-Net's numbers where there are any. */
    static String column(Metric metric) {
        return switch (metric) {
            case DICE -> "Dice";
            case IOU -> "IoU";
            default -> metric.id();
        };
    }
}
