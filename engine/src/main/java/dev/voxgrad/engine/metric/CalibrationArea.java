package dev.voxgrad.engine.metric;

import dev.voxgrad.engine.ConfigException;
import java.nio.file.Path;

/** The voxels that calibration looks at; those with the ignore label never count. */
public sealed interface CalibrationArea {
    /** All of the image. */
    record Everywhere() implements CalibrationArea {
        @Override
        public String toString() {
            return ALL;
        }
    }

    /**
     * Around what is scored: the voxels of a region in reference or prediction, and those up to a distance from them.
     *
     * @param mm between voxel centres
     */
    record Around(double mm) implements CalibrationArea {
        /** Checks that it is not negative. */
        public Around {
            if (!(mm >= 0)) {
                throw new ConfigException("calibration: a distance of " + mm + " mm must be 0 or more");
            }
        }

        @Override
        public String toString() {
            return UNION + mm;
        }
    }

    /**
     * Where label maps are not 0.
     *
     * @param folder with one per case, named as its reference
     */
    record Masks(Path folder) implements CalibrationArea {
        @Override
        public String toString() {
            return folder.toString();
        }
    }

    /** The word for everywhere. */
    String ALL = "all";

    /** What distances start with. */
    String UNION = "union:";

    /**
     * Reads {@code all}, {@code union:MM} or the name of a folder.
     *
     * @throws ConfigException when MM is no number of 0 or more
     */
    static CalibrationArea parse(String text) {
        if (text.equals(ALL)) {
            return new Everywhere();
        }
        if (!text.startsWith(UNION)) {
            return new Masks(Path.of(text));
        }
        try {
            return new Around(Double.parseDouble(text.substring(UNION.length())));
        } catch (NumberFormatException e) {
            throw new ConfigException("calibration: \"" + text + "\" has no number of mm, such as union:5", e);
        }
    }
}
