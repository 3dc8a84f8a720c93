package dev.voxgrad.engine.metric;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Scores of one case.
 *
 * @param files what was compared
 * @param counts voxels by the key of a region
 * @param values further metrics by the key of a region, then by name, in the order of the settings
 * @param calibration by the key of a region; {@link Summary#ALL_CLASSES} for all classes together; empty without probabilities
 * @param warnings what is odd about the files, but no error
 */
public record CaseScore(
        CaseFiles files,
        Map<String, Confusion> counts,
        Map<String, Map<String, Double>> values,
        Map<String, Calibration> calibration,
        List<String> warnings) {
    /** Copies the outer maps and the list. */
    public CaseScore {
        counts = Collections.unmodifiableMap(new LinkedHashMap<>(counts));
        values = Collections.unmodifiableMap(new LinkedHashMap<>(values));
        calibration = Collections.unmodifiableMap(new TreeMap<>(calibration));
        warnings = List.copyOf(warnings);
    }

    /** A number of a region by the name of its column. */
    public double value(Region region, String column) {
        var ofCounts = Summary.COUNTS.get(column);
        Double value = values.getOrDefault(region.key(), Map.of()).get(column);
        if (value == null && ofCounts == null) {
            throw new IllegalArgumentException(
                    "no column " + column + " of region " + region.key() + " in case " + files.id());
        }
        // A policy for empty masks replaces the plain value.
        return value != null ? value : ofCounts.applyAsDouble(counts.get(region.key()));
    }
}
