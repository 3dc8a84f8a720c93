package dev.voxgrad.engine.metric;

import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.tensor.Device;
import java.util.Optional;

/**
 * All metrics of one label in one case. What a metric needs (distances, lesions) is computed when it is first asked for and kept. Used
 * by one thread, the device's.
 */
public final class CaseMetrics {
    /**
     * How to measure.
     *
     * @param toleranceMm of surface Dice, 0 or more
     * @param surface which voxels are surface for the voxel version of the distances
     * @param lesions how lesions are found and matched
     * @param emptyCases what metrics of empty masks are worth
     */
    public record Options(double toleranceMm, Surface surface, LesionOptions lesions, EmptyCases emptyCases) {
        /** 1 mm, all faces, default lesions, raw values. */
        public static final Options DEFAULT = new Options(1, Surface.FACES, LesionOptions.DEFAULT, EmptyCases.NAN);

        /** Checks the tolerance. */
        public Options {
            if (!(toleranceMm >= 0)) {
                throw new ConfigException("surface Dice: a tolerance of " + toleranceMm + " mm must be 0 or more");
            }
        }

        /** The same with another tolerance, for a class of its own. */
        public Options withTolerance(double mm) {
            return new Options(mm, surface, lesions, emptyCases);
        }
    }

    private final Device device;
    private final MaskPair pair;
    private final Options options;
    private Optional<SurfaceDistances> surfaces = Optional.empty();
    private Optional<SurfelDistances> surfels = Optional.empty();
    private Optional<LesionDetection> lesions = Optional.empty();

    private CaseMetrics(Device device, MaskPair pair, Options options) {
        this.device = device;
        this.pair = pair;
        this.options = options;
    }

    /**
     * Nothing is computed yet.
     *
     * @param device a CPU, open as long as this is used
     */
    public static CaseMetrics of(Device device, MaskPair pair, Options options) {
        return new CaseMetrics(device, pair, options);
    }

    /** The value of a metric under the rule for empty masks. */
    public double value(Metric metric) {
        boolean noReference = metric.aboutLesions() ? lesions().reference() == 0 : pair.referenceEmpty();
        boolean noPrediction = metric.aboutLesions() ? lesions().predicted() == 0 : pair.predictionEmpty();
        return options.emptyCases().value(metric, metric.raw(this), noReference, noPrediction, pair.diagonalMm());
    }

    /** Overlap and volumes. */
    public Overlap overlap() {
        return Overlap.of(pair);
    }

    /** Distances of surface voxels. */
    public SurfaceDistances surfaces() {
        if (surfaces.isEmpty()) {
            surfaces = Optional.of(SurfaceDistances.of(device, pair, options.surface()));
        }
        return surfaces.get();
    }

    /** Distances of surface elements. */
    public SurfelDistances surfels() {
        if (surfels.isEmpty()) {
            surfels = Optional.of(SurfelDistances.of(device, pair));
        }
        return surfels.get();
    }

    /** Lesions found and missed. */
    public LesionDetection lesions() {
        if (lesions.isEmpty()) {
            lesions = Optional.of(LesionDetection.of(device, pair, options.lesions()));
        }
        return lesions.get();
    }

    double toleranceMm() {
        return options.toleranceMm();
    }
}
