package dev.voxgrad.engine.plan;

import dev.voxgrad.engine.ConfigException;
import java.util.List;
import java.util.Objects;
import java.util.Set;

/**
 * Some labels taken together as one output of a network with a probability of its own. Regions may overlap.
 *
 * @param name for people
 * @param labels foreground labels that it is made of, in the order of the data set
 * @param value what a predicted mask holds where this is the last of the regions that a voxel belongs to
 */
public record LabelRegion(String name, List<Integer> labels, int value) {
    /**
     * Checks name and labels; {@link LabelNames} checks the values.
     *
     * @throws ConfigException naming the region
     */
    public LabelRegion {
        if (name == null || name.isBlank()) {
            throw new ConfigException("regions: a region of the labels " + labels + " has no name");
        }
        if (labels == null || labels.isEmpty() || labels.stream().anyMatch(Objects::isNull)) {
            throw new ConfigException("regions: \"" + name + "\" has no labels");
        }
        labels = List.copyOf(labels);
        if (Set.copyOf(labels).size() != labels.size()) {
            throw new ConfigException("regions: \"" + name + "\" names a label twice: " + labels);
        }
    }
}
