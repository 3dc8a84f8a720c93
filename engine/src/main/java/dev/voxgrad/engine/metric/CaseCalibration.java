package dev.voxgrad.engine.metric;

import dev.voxgrad.engine.image.LabelVolume;
import dev.voxgrad.engine.image.NiftiReader;
import dev.voxgrad.engine.tensor.Device;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Calibration of one case: each region by itself, and all classes together. */
final class CaseCalibration {
    private final LabelVolume prediction;
    private final LabelVolume reference;
    private final EvaluationSettings settings;
    private final Device device;
    private final ProbabilityMap probabilities;
    private final boolean[] allowed; // not ignored, and inside the mask

    private CaseCalibration(
            CaseFiles files,
            LabelVolume prediction,
            LabelVolume reference,
            EvaluationSettings settings,
            Device device) {
        this.prediction = prediction;
        this.reference = reference;
        this.settings = settings;
        this.device = device;
        this.probabilities =
                ProbabilityMap.read(files.probabilities().orElseThrow(), settings.names(), reference.grid());
        this.allowed = allowed(files);
    }

    /**
     * Reads the probabilities of a case.
     *
     * @return by the key of a region whose probabilities are known, and {@link Summary#ALL_CLASSES} where classes exclude each other
     * @throws dev.voxgrad.engine.DataException when probabilities or mask cannot be read or have another shape
     */
    static Map<String, Calibration> of(
            CaseFiles files,
            LabelVolume prediction,
            LabelVolume reference,
            EvaluationSettings settings,
            Device device) {
        CaseCalibration one = new CaseCalibration(files, prediction, reference, settings, device);
        Map<String, Calibration> byRegion = new HashMap<>();
        if (!settings.names().hasRegions()) {
            byRegion.put(Summary.ALL_CLASSES, one.allClasses());
        }
        settings.regions().stream()
                .filter(one.probabilities::knows)
                .forEach(region -> byRegion.put(region.key(), one.of(region)));
        return byRegion;
    }

    private Calibration allClasses() {
        boolean[] counted =
                counted(Region.ofLabels(Summary.ALL_CLASSES, settings.names().foreground()));
        Calibration calibration = new Calibration(settings.calibrationBins());
        float[] voxel = new float[settings.names().classes()];
        for (int i = 0; i < counted.length; i++) {
            if (counted[i]) {
                probabilities.at(i, voxel);
                calibration.add(voxel, reference.label(i));
            }
        }
        return calibration;
    }

    private Calibration of(Region region) {
        boolean[] counted = counted(region);
        boolean[] member = region.members();
        Calibration calibration = new Calibration(settings.calibrationBins());
        for (int i = 0; i < counted.length; i++) {
            if (counted[i]) {
                calibration.add(probabilities.of(region, i), member[reference.label(i)]);
            }
        }
        return calibration;
    }

    private boolean[] allowed(CaseFiles files) {
        boolean[] allowed = new boolean[reference.grid().voxels()];
        for (int i = 0; i < allowed.length; i++) {
            allowed[i] = reference.label(i) != settings.ignore();
        }
        if (settings.calibrationArea() instanceof CalibrationArea.Masks(Path folder)) {
            Path file = folder.resolve(files.reference().getFileName());
            LabelVolume mask = NiftiReader.readLabels(file).labels();
            List<String> placeDoesNotMatter = new ArrayList<>();
            CaseEvaluator.requireSameGrid(file, mask, files.reference(), reference, placeDoesNotMatter);
            for (int i = 0; i < allowed.length; i++) {
                allowed[i] &= mask.label(i) != 0;
            }
        }
        return allowed;
    }

    private boolean[] counted(Region region) {
        if (!(settings.calibrationArea() instanceof CalibrationArea.Around(double mm))) {
            return allowed;
        }
        boolean[] member = region.members();
        byte[] set = new byte[allowed.length];
        for (int i = 0; i < set.length; i++) {
            set[i] = (byte) (allowed[i] && (member[reference.label(i)] || member[prediction.label(i)]) ? 1 : 0);
        }
        boolean[] counted = new boolean[set.length];
        double[] spacing = reference.geometry().spacingMm();
        try (DistanceMap distances = DistanceMap.of(device, set, reference.grid(), spacing)) {
            for (int i = 0; i < counted.length; i++) {
                counted[i] = allowed[i] && distances.at(i) <= mm;
            }
        }
        return counted;
    }
}
