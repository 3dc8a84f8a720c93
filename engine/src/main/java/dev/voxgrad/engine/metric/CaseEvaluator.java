package dev.voxgrad.engine.metric;

import dev.voxgrad.engine.DataException;
import dev.voxgrad.engine.image.Geometry;
import dev.voxgrad.engine.image.LabelVolume;
import dev.voxgrad.engine.image.NiftiLabels;
import dev.voxgrad.engine.image.NiftiReader;
import dev.voxgrad.engine.plan.LabelNames;
import dev.voxgrad.engine.tensor.Device;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** Scores single cases. */
final class CaseEvaluator {
    /** Spacings are float32 in files; programs also round them to a few decimals. */
    private static final double SPACING_TOLERANCE = 1e-3;

    private final EvaluationSettings settings;

    CaseEvaluator(EvaluationSettings settings) {
        this.settings = settings;
    }

    /** Bytes per voxel that the probabilities of a case take: they are read where there are any, as a file and by channel. */
    long probabilityBytes(CaseFiles files) {
        LabelNames names = settings.names();
        int channels = names.hasRegions() ? names.regions().size() : names.classes();
        return files.probabilities().isPresent() ? 2L * Float.BYTES * channels : 0;
    }

    /**
     * Scores one case.
     *
     * @throws DataException when a file cannot be read, the grids differ, or a label is unknown
     */
    CaseScore evaluate(CaseFiles files, Device device) {
        List<String> warnings = new ArrayList<>();
        LabelVolume prediction = read(files.prediction(), warnings);
        LabelVolume reference = read(files.reference(), warnings);
        requireSameGrid(files.prediction(), prediction, files.reference(), reference, warnings);
        Map<String, Calibration> calibration = files.probabilities().isPresent()
                ? CaseCalibration.of(files, prediction, reference, settings, device)
                : Map.of();
        Map<String, Confusion> counts = new LinkedHashMap<>();
        Map<String, Map<String, Double>> values = new LinkedHashMap<>();
        for (Region region : settings.regions()) {
            MaskPair pair = MaskPair.of(reference, prediction, Set.copyOf(region.labels()), settings.ignore());
            counts.put(region.key(), pair.counts());
            Map<String, Double> ofRegion = values(CaseMetrics.of(device, pair, settings.optionsOf(region)));
            for (CalibrationMetric metric : settings.metrics().ofProbabilities()) {
                ofRegion.put(metric.id(), metric.value(calibration.get(region.key())));
            }
            values.put(region.key(), ofRegion);
        }
        return new CaseScore(files, counts, values, calibration, warnings);
    }

    private Map<String, Double> values(CaseMetrics metrics) {
        Map<String, Double> values = new HashMap<>();
        for (Metric metric : settings.metrics().ofMasks()) {
            values.put(MetricSelection.column(metric), metrics.value(metric));
        }
        if (settings.bySize()) {
            List<LesionDetection.SizeBin> bins = metrics.lesions().bins();
            for (int i = 0; i < bins.size(); i++) {
                values.put(settings.recallColumn(i), bins.get(i).recall());
                values.put(
                        settings.falsePositivesColumn(i), (double) bins.get(i).falsePositives());
            }
        }
        return values;
    }

    private LabelVolume read(Path file, List<String> warnings) {
        NiftiLabels read = NiftiReader.readLabels(file);
        warnings.addAll(read.warnings());
        boolean[] present = new boolean[1 << Short.SIZE];
        for (short label : read.labels().labels()) {
            present[Short.toUnsignedInt(label)] = true;
        }
        TreeSet<Integer> unknown = new TreeSet<>();
        for (int label = 0; label < present.length; label++) {
            if (present[label] && !settings.names().byName().containsValue(label)) {
                unknown.add(label);
            }
        }
        if (!unknown.isEmpty()) {
            throw new DataException(file + ": holds the labels " + unknown + ", which the data set does not declare: "
                    + settings.names().byName());
        }
        return read.labels();
    }

    static void requireSameGrid(
            Path predictionFile,
            LabelVolume prediction,
            Path referenceFile,
            LabelVolume reference,
            List<String> warnings) {
        if (!prediction.grid().equals(reference.grid())) {
            throw new DataException(predictionFile + ": shape " + prediction.grid() + " differs from shape "
                    + reference.grid() + " of " + referenceFile + "; compare label maps of the same image");
        }
        double[] p = prediction.geometry().spacingMm();
        double[] r = reference.geometry().spacingMm();
        for (int axis = 0; axis < r.length; axis++) {
            if (Math.abs(p[axis] - r[axis]) > SPACING_TOLERANCE * r[axis]) {
                throw new DataException(predictionFile + ": spacing " + Arrays.toString(p) + " mm differs from "
                        + Arrays.toString(r) + " mm (z, y, x) of " + referenceFile
                        + "; compare label maps of the same image");
            }
        }
        if (moved(
                prediction.geometry(),
                reference.geometry(),
                Arrays.stream(r).max().orElse(1))) {
            warnings.add(predictionFile + ": lies elsewhere in space than " + referenceFile
                    + " (the affines differ); voxels are compared by their index");
        }
    }

    /** Whether an origin or axis differs by more than a hundredth of a voxel. */
    private static boolean moved(Geometry a, Geometry b, double voxelMm) {
        double[] x = a.affine();
        double[] y = b.affine();
        for (int i = 0; i < x.length; i++) {
            if (Math.abs(x[i] - y[i]) > 0.01 * voxelMm) {
                return true;
            }
        }
        return false;
    }
}
