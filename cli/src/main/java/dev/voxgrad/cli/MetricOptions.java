package dev.voxgrad.cli;

import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.metric.CalibrationArea;
import dev.voxgrad.engine.metric.CaseMetrics;
import dev.voxgrad.engine.metric.EmptyCases;
import dev.voxgrad.engine.metric.EvaluationSettings;
import dev.voxgrad.engine.metric.LesionOptions;
import dev.voxgrad.engine.metric.MetricSelection;
import dev.voxgrad.engine.metric.Region;
import dev.voxgrad.engine.metric.Surface;
import dev.voxgrad.engine.metric.Tolerances;
import dev.voxgrad.engine.plan.LabelNames;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;

/** What {@code evaluate} scores, and how. */
final class MetricOptions {
    @Option(
            names = "--metrics",
            paramLabel = "LIST",
            defaultValue = "dice,iou",
            description = "Names or groups separated by commas, or all. Groups: overlap, volume, surface, lesion,"
                    + " calibration; a wrong name lists all names. Default: ${DEFAULT-VALUE}.")
    private String metrics;

    @Option(
            names = "--regions",
            paramLabel = "NAME=LABELS",
            description = "Score several labels as one, too, such as whole=1,2 or whole=core,edema. Repeatable.")
    private List<String> regions = List.of();

    @Option(
            names = "--tolerance-mm",
            paramLabel = "MM",
            defaultValue = "1",
            description = "Of surface Dice; one for all, or by label such as 1,vessel=0.5. Default: ${DEFAULT-VALUE}.")
    private String tolerances;

    @Option(
            names = "--policy",
            paramLabel = "RULE",
            defaultValue = "nan",
            description = "What empty masks are worth. nan: scores that do not exist are left out of means, infinite"
                    + " distances too, and both are counted; challenge: 1 or 0, and for distances the diagonal of the"
                    + " image. Default: ${DEFAULT-VALUE}.")
    private EmptyCases policy;

    @Option(
            names = "--surface",
            paramLabel = "KIND",
            defaultValue = "faces",
            description = "Surface voxels for hd, hd95, assd: faces, or in_plane (within each slice). Default:"
                    + " ${DEFAULT-VALUE}.")
    private Surface surface;

    @Option(
            names = "--connectivity",
            paramLabel = "N",
            defaultValue = "26",
            description = "Neighbours of a voxel in one lesion: 6, 18 or 26. Default: ${DEFAULT-VALUE}.")
    private int connectivity;

    @Option(
            names = "--min-overlap",
            paramLabel = "SHARE",
            defaultValue = "0",
            description =
                    "Share of a lesion that must be covered to be found, at least a voxel. Default: ${DEFAULT-VALUE}.")
    private double minOverlap;

    @Option(
            names = "--match-iou",
            paramLabel = "IOU",
            defaultValue = "0.5",
            description = "Smallest IoU of one-to-one matches (lesion_match_...). Default: ${DEFAULT-VALUE}.")
    private double matchIou;

    @Option(
            names = "--lesion-min-mm3",
            paramLabel = "MM3",
            defaultValue = "0",
            description = "Smaller lesions do not count. Default: ${DEFAULT-VALUE}.")
    private double lesionMin;

    @Option(
            names = "--size-bins",
            paramLabel = "MM3",
            split = ",",
            description = "Borders of size bins: lesion recall and false positives for each, such as 10,100,1000.")
    private List<Double> sizeBins = List.of();

    @Option(
            names = "--calibration-bins",
            paramLabel = "N",
            defaultValue = "15",
            description = "Bins of reliability curves, 1 to 1000. Default: ${DEFAULT-VALUE}.")
    private int calibrationBins;

    @Option(
            names = "--calibration-area",
            paramLabel = "AREA",
            defaultValue = "all",
            description =
                    "Voxels that calibration looks at: all; union:MM, around the label in reference or prediction; or"
                            + " a FOLDER of label maps named like the references, where they are not 0. With nearly all"
                            + " background, all looks perfect. Default: ${DEFAULT-VALUE}.")
    private String calibrationArea;

    /**
     * The settings for a task.
     *
     * @throws ConfigException when an option has a wrong value
     */
    EvaluationSettings settings(LabelNames names, boolean withProbabilities) {
        List<Region> all = new ArrayList<>(Region.foreground(names));
        regions.forEach(text -> all.add(Region.parse(text, names)));
        LesionOptions lesions = new LesionOptions(connectivity, minOverlap, matchIou, lesionMin, sizeBins);
        EvaluationSettings settings = new EvaluationSettings(
                names,
                all,
                MetricSelection.parse(metrics, withProbabilities),
                new CaseMetrics.Options(1, surface, lesions, policy),
                Tolerances.parse(tolerances, all),
                calibrationBins,
                area());
        if (settings.needsProbabilities() && !withProbabilities) {
            throw new ConfigException("--metrics asks for calibration; give the probabilities with --probabilities");
        }
        return settings;
    }

    /** A folder that is not there may be a mistyped word: better said now than once for every case. */
    private CalibrationArea area() {
        CalibrationArea area = CalibrationArea.parse(calibrationArea);
        if (area instanceof CalibrationArea.Masks(Path folder) && !Files.isDirectory(folder)) {
            throw new ConfigException(
                    "--calibration-area \"" + calibrationArea + "\" is neither all nor union:MM, and no folder");
        }
        return area;
    }
}
