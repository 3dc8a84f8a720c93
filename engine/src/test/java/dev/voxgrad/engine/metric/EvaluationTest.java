package dev.voxgrad.engine.metric;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.DataException;
import dev.voxgrad.engine.SafetensorsWriter;
import dev.voxgrad.engine.image.Geometry;
import dev.voxgrad.engine.image.Grid;
import dev.voxgrad.engine.image.NiftiHeader;
import dev.voxgrad.engine.image.NiftiWriter;
import dev.voxgrad.engine.plan.DatasetFolder;
import dev.voxgrad.engine.plan.LabelNames;
import dev.voxgrad.engine.plan.Plans;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EvaluationTest {
    private static final LabelNames NAMES = new LabelNames(Plans.labels("a", "b"));
    private static final EvaluationSettings DICE = EvaluationSettings.standard(NAMES);

    private static final CalibrationArea EVERYWHERE = CalibrationArea.parse("all");

    @TempDir
    private Path folder;

    private DatasetFolder data;

    @BeforeEach
    void start() {
        data = new DatasetFolder(folder);
    }

    private List<CaseFiles> pairs(String ending, boolean strict) {
        return CaseFiles.pair(folder.resolve("pred"), folder.resolve("ref"), ending, strict);
    }

    /** The usual labels with the first n voxels of a plane between two labels set to b. */
    private static short[] changed(int voxels) {
        short[] labels = DatasetFolder.blocks();
        Arrays.fill(labels, 0, voxels, (short) 2);
        return labels;
    }

    private void writeCases(int count) {
        for (int i = 0; i < count; i++) {
            data.labels("pred/c" + i + ".nii.gz", changed(i));
            data.labels("ref/c" + i + ".nii.gz", DatasetFolder.blocks());
        }
    }

    @Test
    void foldersArePairedByName() {
        writeCases(1);
        data.labels("ref/q.nii.gz", DatasetFolder.blocks());
        assertThat(pairs(".nii.gz", false)).extracting(CaseFiles::id).containsExactly("c0");
        assertThatThrownBy(() -> pairs(".nii.gz", true))
                .isInstanceOf(DataException.class)
                .hasMessageContainingAll("no prediction", "[q.nii.gz]");
        Path pred = folder.resolve("pred");
        Path ref = folder.resolve("ref");
        assertThatThrownBy(() -> CaseFiles.pair(ref, pred, ".nii.gz", false))
                .hasMessageContainingAll("no reference", "[q.nii.gz]");
        assertThatThrownBy(() -> pairs(".nii", false)).hasMessageContaining("nothing to evaluate");
        assertThatThrownBy(() -> CaseFiles.pair(folder.resolve("x"), ref, ".nii", false))
                .hasMessageContaining("x");
    }

    @Test
    void pseudoDiceAddsUpOverBatches() {
        PseudoDice pseudo = new PseudoDice(4, 3);
        pseudo.add(new byte[] {1, 1, 0, 2}, new byte[] {1, 0, 0, 3});
        pseudo.add(new byte[] {1, 0}, new byte[] {1, 1});
        assertThat(pseudo.counts(1)).isEqualTo(new Confusion(2, 1, 1, 0));
        assertThat(pseudo.perClass()[0]).isCloseTo(2.0 / 3, within(1e-12));
        assertThat(pseudo.perClass()[1]).isNaN();
        assertThat(pseudo.mean()).isCloseTo(2.0 / 3, within(1e-12));
    }

    @Test
    void resultsDoNotDependOnThreads() {
        writeCases(5);
        int[] done = {0};
        Object lock = new Object();
        Evaluation one = Evaluation.run(pairs(".nii.gz", true), DICE, 1, () -> {});
        Evaluation three = Evaluation.run(pairs(".nii.gz", true), DICE, 3, () -> {
            synchronized (lock) {
                done[0]++;
            }
        });
        assertThat(done[0]).isEqualTo(5);
        assertThat(new SummaryJson(three.summary(), false))
                .hasToString(new SummaryJson(one.summary(), false).toString());
        Region a = DICE.regions().getFirst();
        assertThat(one.orThrow().values(a, "Dice")).containsExactly(1, 1, 1, 1, 1);
        assertThat(one.orThrow().values(DICE.regions().get(1), "FP")).containsExactly(0, 1, 2, 3, 4);
    }

    @Test
    void caseThatFailsDoesNotHideTheOthers() throws IOException {
        writeCases(6);
        Files.writeString(folder.resolve("pred/c0.nii.gz"), "no image");
        data.labels("ref/c1.nii.gz", new short[6], new Grid(1, 2, 3), Geometry.ofSpacing(1, 1, 1));
        data.labels("ref/c2.nii.gz", DatasetFolder.blocks(), DatasetFolder.GRID, Geometry.ofSpacing(1, 1, 1.5));
        short[] unknown = DatasetFolder.blocks();
        unknown[5] = 7;
        data.labels("pred/c3.nii.gz", unknown);
        Evaluation evaluation = Evaluation.run(pairs(".nii.gz", true), DICE, 2, () -> {});
        assertThat(evaluation.summary().cases()).extracting(c -> c.files().id()).containsExactly("c4", "c5");
        assertThat(evaluation.failed()).extracting(f -> f.files().id()).containsExactly("c0", "c1", "c2", "c3");
        List<String> messages =
                evaluation.failed().stream().map(f -> f.error().getMessage()).toList();
        assertThat(messages.get(0)).contains("c0.nii.gz");
        assertThat(messages.get(1)).contains("c1.nii.gz", "[6, 7, 8]", "[1, 2, 3]");
        assertThat(messages.get(2)).contains("c2.nii.gz", "[1.0, 1.0, 1.5]", "spacing");
        assertThat(messages.get(3)).contains("c3.nii.gz", "[7]", "b=2");
        assertThatThrownBy(evaluation::orThrow).isInstanceOf(DataException.class);
    }

    @Test
    void otherPlaceInSpaceIsAWarning() {
        double[] affine = Geometry.ofSpacing(1, 1, 1).affine();
        affine[3] = 20;
        data.labels(
                "pred/c.nii.gz",
                DatasetFolder.blocks(),
                DatasetFolder.GRID,
                new Geometry(new double[] {1, 1, 1}, affine));
        data.labels("ref/c.nii.gz", DatasetFolder.blocks());
        Summary summary =
                Evaluation.run(pairs(".nii.gz", true), DICE, 1, () -> {}).orThrow();
        assertThat(summary.cases().getFirst().warnings())
                .singleElement()
                .asString()
                .contains("c.nii.gz", "affines");
    }

    @Test
    void predictedIgnoreLabelIsNoForeground() {
        LabelNames names = new LabelNames(Plans.labels("a", "ignore"));
        data.labels("pred/c.nii.gz", DatasetFolder.blocks());
        data.labels("ref/c.nii.gz", DatasetFolder.blocks());
        Summary summary = Evaluation.run(pairs(".nii.gz", true), EvaluationSettings.standard(names), 1, () -> {})
                .orThrow();
        assertThat(summary.cases().getFirst().counts()).isEqualTo(Map.of("1", new Confusion(112, 0, 0, 112)));
    }

    /** Probabilities of 0.75 for the right class and 0.125 for each other one. */
    private static float[] confident(short[] labels) {
        float[] p = new float[3 * labels.length];
        Arrays.fill(p, 0.125f);
        for (int i = 0; i < labels.length; i++) {
            p[labels[i] * labels.length + i] = 0.75f;
        }
        return p;
    }

    private EvaluationSettings calibration(CalibrationArea area) {
        return new EvaluationSettings(
                NAMES,
                Region.foreground(NAMES),
                MetricSelection.parse("calibration", true),
                CaseMetrics.Options.DEFAULT,
                Tolerances.DEFAULT,
                10,
                area);
    }

    private Summary calibrated(CalibrationArea area) {
        List<CaseFiles> cases = CaseFiles.withProbabilities(pairs(".nii.gz", true), folder.resolve("prob"), ".nii.gz");
        return Evaluation.run(cases, calibration(area), 1, () -> {}).orThrow();
    }

    private void writeProbabilities(String name, float... values) throws IOException {
        Files.createDirectories(folder.resolve("prob"));
        Grid g = DatasetFolder.GRID;
        new SafetensorsWriter()
                .f32("p", values, values.length / g.voxels(), g.depth(), g.height(), g.width())
                .writeTo(folder.resolve("prob").resolve(name));
    }

    @Test
    void calibrationOfProbabilitiesInEitherFormat() throws IOException {
        writeCases(2);
        writeProbabilities("c0.safetensors", confident(DatasetFolder.blocks()));
        float[] p = confident(DatasetFolder.blocks());
        int voxels = DatasetFolder.GRID.voxels();
        NiftiWriter.writeFloat(
                folder.resolve("prob/c1.nii.gz"),
                List.of(
                        Arrays.copyOf(p, voxels),
                        Arrays.copyOfRange(p, voxels, 2 * voxels),
                        Arrays.copyOfRange(p, 2 * voxels, 3 * voxels)),
                NiftiHeader.create(DatasetFolder.GRID, Geometry.ofSpacing(1, 1, 1)));
        Summary summary = calibrated(EVERYWHERE);
        Region a = DICE.regions().getFirst();
        // A third of the voxels is a: a gap of 0.25 there and of 0.125 elsewhere.
        assertThat(summary.values(a, "ece")).containsExactly(new double[] {0.5 / 3, 0.5 / 3}, within(1e-9));
        assertThat(summary.mean(a, "ece_top")).isCloseTo(0.5 / 3, within(1e-9));
        assertThat(summary.mean(a, "nll")).isCloseTo(-(Math.log(0.75) + 2 * Math.log(0.875)) / 3, within(1e-9));
        assertThat(summary.mean(a, "brier")).isCloseTo((0.0625 + 2 * 0.015625) / 3, within(1e-9));
        Calibration all = summary.calibration().get(Summary.ALL_CLASSES);
        assertThat(all.voxels()).isEqualTo(2L * voxels);
        assertThat(all.topLabel().ece()).isCloseTo(0.25, within(1e-9));
        assertThat(new SummaryJson(summary, true).withCalibration().toString()).contains("\"top_label\"", "\"all\"");
    }

    @Test
    void calibrationInAMask() throws IOException {
        writeCases(1);
        writeProbabilities("c0.safetensors", confident(DatasetFolder.blocks()));
        short[] mask = DatasetFolder.blocks();
        for (int i = 0; i < mask.length; i++) {
            mask[i] = (short) (mask[i] == 1 ? 1 : 0);
        }
        data.labels("mask/c0.nii.gz", mask);
        Summary summary = calibrated(new CalibrationArea.Masks(folder.resolve("mask")));
        assertThat(summary.mean(DICE.regions().get(0), "ece")).isCloseTo(0.25, within(1e-9));
        assertThat(summary.mean(DICE.regions().get(1), "ece")).isCloseTo(0.125, within(1e-9));
    }

    @Test
    void calibrationAroundTheRegion() throws IOException {
        writeCases(1);
        writeProbabilities("c0.safetensors", confident(DatasetFolder.blocks()));
        Region a = DICE.regions().get(0);
        Summary close = calibrated(CalibrationArea.parse("union:0"));
        assertThat(close.mean(a, "ece")).isCloseTo(0.25, within(1e-9));
        assertThat(close.calibration().get(a.key()).voxels()).isEqualTo(2 * 7 * 8);
        // One plane on each side of the two of a; all foreground and one plane for all classes.
        Summary wider = calibrated(CalibrationArea.parse("union:1"));
        assertThat(wider.calibration().get(a.key()).voxels()).isEqualTo(4 * 7 * 8);
        assertThat(wider.mean(a, "ece")).isCloseTo((0.25 + 0.125) / 2, within(1e-9));
        assertThat(wider.calibration().get(Summary.ALL_CLASSES).voxels()).isEqualTo(5 * 7 * 8);
        for (String wrong : List.of("union:", "union:x", "union:-1")) {
            assertThatThrownBy(() -> CalibrationArea.parse(wrong)).isInstanceOf(ConfigException.class);
        }
        assertThat(CalibrationArea.parse("union:5")).hasToString("union:5.0");
        assertThat(CalibrationArea.parse("masks")).hasToString("masks");
    }

    /** Probabilities that are given are read even if no metric needs them: the memory budget must know. */
    @Test
    void probabilitiesTakeMemoryWheneverTheyAreThere() {
        CaseFiles without = new CaseFiles("c", Path.of("p"), Path.of("r"), Optional.empty());
        CaseFiles with = new CaseFiles("c", Path.of("p"), Path.of("r"), Optional.of(Path.of("q")));
        CaseEvaluator evaluator = new CaseEvaluator(DICE);
        assertThat(evaluator.probabilityBytes(without)).isZero();
        assertThat(evaluator.probabilityBytes(with)).isEqualTo(8 * 3);
    }

    @Test
    void wrongProbabilitiesAreRefused() throws IOException {
        writeCases(1);
        assertThatThrownBy(() -> calibrated(EVERYWHERE))
                .isInstanceOf(DataException.class)
                .hasMessageContainingAll("[c0]", "c", "safetensors");
        assertThatThrownBy(() -> Evaluation.run(pairs(".nii.gz", true), calibration(EVERYWHERE), 1, () -> {}))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("probabilities");
        int voxels = DatasetFolder.GRID.voxels();
        float[] p = confident(DatasetFolder.blocks());
        writeProbabilities("c0.safetensors", Arrays.copyOf(p, 2 * voxels));
        assertThatThrownBy(() -> calibrated(EVERYWHERE)).hasMessageContainingAll("2 channels", "3");
        p[7] = Float.NaN;
        p[8] = 1.5f;
        writeProbabilities("c0.safetensors", p);
        assertThatThrownBy(() -> calibrated(EVERYWHERE)).hasMessageContainingAll("2 values", "logits");
        Arrays.fill(p, 0.5f);
        writeProbabilities("c0.safetensors", p);
        assertThatThrownBy(() -> calibrated(EVERYWHERE)).hasMessageContaining("do not add up to 1");
    }
}
