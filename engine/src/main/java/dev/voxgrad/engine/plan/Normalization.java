package dev.voxgrad.engine.plan;

import dev.voxgrad.engine.ConfigException;
import java.util.Arrays;
import java.util.List;

/** How the intensities of a channel are brought to a common scale. */
public enum Normalization {
    /** (x - mean) / max(std, 1e-8) over all voxels. */
    ZSCORE("zscore"),
    /** The same with the statistics of the non-zero region; voxels outside it keep their value. */
    ZSCORE_NONZERO("zscore-nonzero"),
    /** Unchanged. */
    NONE("none");

    private static final double EPSILON = 1e-8;

    private final String text;

    Normalization(String text) {
        this.text = text;
    }

    /** The names in a plan. */
    public static List<String> names() {
        return Arrays.stream(values()).map(n -> n.text).toList();
    }

    /**
     * The scheme with a name.
     *
     * @throws ConfigException listing the names there are
     */
    public static Normalization of(String name) {
        return Arrays.stream(values())
                .filter(n -> n.text.equals(name))
                .findFirst()
                .orElseThrow(() ->
                        new ConfigException("normalization \"" + name + "\" does not exist; use one of " + names()));
    }

    /** The name in a plan. */
    public String text() {
        return text;
    }

    /**
     * Normalises one channel in place.
     *
     * @param inside which voxels belong to the non-zero region
     */
    void apply(float[] x, boolean[] inside) {
        if (this == NONE) {
            return;
        }
        boolean masked = this == ZSCORE_NONZERO;
        double sum = 0;
        long count = 0;
        for (int i = 0; i < x.length; i++) {
            if (!masked || inside[i]) {
                sum += x[i];
                count++;
            }
        }
        if (count == 0) {
            return;
        }
        double mean = sum / count;
        double squares = 0;
        for (int i = 0; i < x.length; i++) {
            if (!masked || inside[i]) {
                squares += (x[i] - mean) * (x[i] - mean);
            }
        }
        double scale = 1 / Math.max(Math.sqrt(squares / count), EPSILON);
        for (int i = 0; i < x.length; i++) {
            if (!masked || inside[i]) {
                x[i] = (float) ((x[i] - mean) * scale);
            }
        }
    }
}
