package dev.voxgrad.engine.metric;

import dev.voxgrad.engine.ConfigException;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;

/**
 * Tolerances of surface Dice.
 *
 * @param general in mm, for regions without one of their own
 * @param byName in mm, by the name of a region
 */
public record Tolerances(double general, Map<String, Double> byName) {
    /** 1 mm. */
    public static final Tolerances DEFAULT = new Tolerances(1, Map.of());

    /** Checks that none is negative. */
    public Tolerances {
        byName = Collections.unmodifiableMap(new LinkedHashMap<>(byName));
        if (!(general >= 0) || byName.values().stream().anyMatch(mm -> !(mm >= 0))) {
            throw new ConfigException("tolerance " + general + " " + byName + ": tolerances are 0 mm or more");
        }
    }

    /**
     * Reads {@code MM} or {@code NAME=MM}, several separated by commas, such as {@code 1,vessel=0.5}.
     *
     * @throws ConfigException for another form, or a name that no region has
     */
    public static Tolerances parse(String text, List<Region> regions) {
        OptionalDouble general = OptionalDouble.empty();
        Map<String, Double> byName = new LinkedHashMap<>();
        for (String part : text.split(",", -1)) {
            int equals = part.indexOf('=');
            double mm = number(text, part.substring(equals + 1).strip());
            if (equals < 0) {
                if (general.isPresent()) {
                    throw new ConfigException(
                            "tolerance \"" + text + "\": there are two for all labels; name the label of"
                                    + " the other, such as 1,vessel=0.5");
                }
                general = OptionalDouble.of(mm);
                continue;
            }
            String name = part.substring(0, equals).strip();
            if (regions.stream().noneMatch(r -> r.name().equals(name))) {
                throw new ConfigException(
                        "tolerance \"" + text + "\": \"" + name + "\" is no label or region; there are "
                                + regions.stream().map(Region::name).toList());
            }
            if (byName.put(name, mm) != null) {
                throw new ConfigException("tolerance \"" + text + "\": there are two for \"" + name + '"');
            }
        }
        return new Tolerances(general.orElse(DEFAULT.general), byName);
    }

    private static double number(String text, String part) {
        try {
            return Double.parseDouble(part);
        } catch (NumberFormatException e) {
            throw new ConfigException("tolerance \"" + text + "\": \"" + part + "\" is no number of mm", e);
        }
    }

    /** The tolerance of a region. */
    public double of(Region region) {
        return byName.getOrDefault(region.name(), general);
    }
}
