package dev.voxgrad.engine.metric;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.ShapeException;
import dev.voxgrad.engine.image.Geometry;
import dev.voxgrad.engine.image.Grid;
import dev.voxgrad.engine.image.LabelVolume;
import dev.voxgrad.engine.tensor.Device;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Metrics by name, masks from label maps, and the rules for empty masks. */
class CaseMetricsTest {
    private static final Device CPU = Device.cpu(2);
    private static final Grid GRID = new Grid(6, 8, 10);
    private static final double[] SPACING = {2, 1, 1};
    private static final double DIAGONAL = Math.sqrt(10 * 10 + 7 * 7 + 9 * 9);

    @AfterAll
    static void close() {
        CPU.close();
    }

    private static CaseMetrics metrics(byte[] reference, byte[] prediction, EmptyCases rule) {
        CaseMetrics.Options options = new CaseMetrics.Options(1, Surface.FACES, LesionOptions.DEFAULT, rule);
        return CaseMetrics.of(CPU, MaskPair.of(reference, prediction, GRID, SPACING), options);
    }

    private static byte[] block() {
        return Masks.box(GRID, new int[] {1, 2, 3}, new int[] {3, 5, 7});
    }

    /** The table of the two rules; "diagonal" is that of the image. */
    @ParameterizedTest
    @CsvSource({
        // metric, both empty, no reference, no prediction: raw, then challenge
        "dice, NaN, 0, 0, 1, 0, 0",
        "iou, NaN, 0, 0, 1, 0, 0",
        "nsd_voxel, NaN, 0, 0, 1, 0, 0",
        "surface_dice, NaN, 0, 0, 1, 0, 0",
        "hd, NaN, Infinity, Infinity, 0, diagonal, diagonal",
        "hd95, NaN, Infinity, Infinity, 0, diagonal, diagonal",
        "hd95_pooled, NaN, Infinity, Infinity, 0, diagonal, diagonal",
        "assd, NaN, Infinity, Infinity, 0, diagonal, diagonal",
        "assd_mean_of_means, NaN, Infinity, Infinity, 0, diagonal, diagonal",
        "hd95_surfel, NaN, Infinity, Infinity, 0, diagonal, diagonal",
        "assd_surfel, NaN, Infinity, Infinity, 0, diagonal, diagonal",
        "rvd, NaN, NaN, -1, 0, 1, -1",
        "rvd_abs, NaN, NaN, 1, 0, 1, 1",
        "volume_similarity, NaN, 0, 0, 1, 0, 0",
        "volume_difference, 0, 48, 48, 0, 48, 48",
        "sensitivity, NaN, NaN, 0, NaN, NaN, 0",
        "precision, NaN, 0, NaN, NaN, 0, 0",
        "specificity, 1, 0.95, 1, 1, 0.95, 1",
        "lesion_recall, NaN, NaN, 0, 1, 1, 0",
        "lesion_precision, NaN, 0, NaN, 1, 0, 0",
        "lesion_f1, NaN, 0, 0, 1, 0, 0",
        "lesion_match_f1, NaN, 0, 0, 1, 0, 0",
        "lesion_false_positives, 0, 1, 0, 0, 1, 0",
        "lesion_false_negatives, 0, 0, 1, 0, 0, 1",
        "lesion_count_difference, 0, 1, 1, 0, 1, 1",
        "lesion_match_iou, NaN, NaN, NaN, NaN, NaN, NaN"
    })
    void emptyMasksFollowTheRule(
            String id, String both, String noReference, String noPrediction, String c1, String c2, String c3) {
        Metric metric = Metric.of(id);
        byte[] empty = new byte[GRID.voxels()];
        List<byte[][]> cases =
                List.of(new byte[][] {empty, empty}, new byte[][] {empty, block()}, new byte[][] {block(), empty});
        String[] expected = {both, noReference, noPrediction, c1, c2, c3};
        for (int i = 0; i < expected.length; i++) {
            EmptyCases rule = i < 3 ? EmptyCases.NAN : EmptyCases.CHALLENGE;
            byte[][] masks = cases.get(i % 3);
            double wanted = expected[i].equals("diagonal") ? DIAGONAL : Double.parseDouble(expected[i]);
            assertThat(metrics(masks[0], masks[1], rule).value(metric))
                    .as(id + " " + rule + " " + i % 3)
                    .isEqualTo(Double.valueOf(wanted)); // NaN is equal to NaN
        }
    }

    @ParameterizedTest
    @EnumSource(Metric.class)
    void rulesLeaveOtherCasesAlone(Metric metric) {
        byte[] other = Masks.box(GRID, new int[] {1, 2, 4}, new int[] {3, 5, 8});
        double raw = metrics(block(), other, EmptyCases.NAN).value(metric);
        assertThat(raw).isFinite();
        assertThat(metrics(block(), other, EmptyCases.CHALLENGE).value(metric)).isEqualTo(raw);
        assertThat(Metric.of(metric.id())).isEqualTo(metric);
    }

    @ParameterizedTest
    @EnumSource(Metric.class)
    void perfectPredictionsAreBest(Metric metric) {
        double perfect = metrics(block(), block(), EmptyCases.NAN).value(metric);
        assertThat(perfect).isEqualTo(metric.better() == Better.HIGHER ? 1 : 0);
    }

    @Test
    void lesionsThatAreTooSmallCountAsNone() {
        LesionOptions large = new LesionOptions(26, 0, 0.5, 1000, List.of());
        CaseMetrics.Options options =
                new CaseMetrics.Options(1, Surface.FACES, large, EmptyCases.CHALLENGE).withTolerance(2);
        CaseMetrics found = CaseMetrics.of(CPU, MaskPair.of(block(), block(), GRID, SPACING), options);
        assertThat(found.value(Metric.LESION_F1)).isOne();
        assertThat(found.lesions().reference()).isZero();
        assertThat(found.value(Metric.DICE)).isOne();
    }

    @Test
    void labelMapsGiveMasksOfOneLabelOrARegion() {
        Grid grid = new Grid(2, 2, 3);
        short[] reference = {0, 1, 1, 2, 9, 0, (short) 65535, 0, 0, 0, 2, 9};
        short[] prediction = {1, 1, 0, 2, 2, 0, (short) 65535, 0, 0, 1, 1, 0};
        Geometry geometry = Geometry.ofSpacing(3, 0.5, 2);
        LabelVolume r = new LabelVolume(reference, grid, geometry);
        LabelVolume p = new LabelVolume(prediction, grid, geometry);
        assertThat(MaskPair.of(r, p, Set.of(1), -1).counts()).isEqualTo(new Confusion(1, 3, 1, 7));
        assertThat(MaskPair.of(r, p, Set.of(1, 2), 9).counts()).isEqualTo(new Confusion(3, 2, 1, 4));
        assertThat(MaskPair.of(r, p, Set.of(65535), 9).counts()).isEqualTo(new Confusion(1, 0, 0, 9));
        assertThat(MaskPair.of(r, p, Set.of(5), 9).counts()).isEqualTo(new Confusion(0, 0, 0, 10));
        MaskPair region = MaskPair.of(r, p, Set.of(1, 2), 9);
        assertThat(region.voxelVolumeMm3()).isEqualTo(3);
        assertThat(region.planar()).isFalse();
        assertThat(Overlap.of(region).referenceMm3()).isEqualTo(12);
        assertThat(Overlap.of(region).predictionMm3()).isEqualTo(15);
    }

    @Test
    void onlyTheBoxOfTheMasksIsMeasured() {
        Grid grid = new Grid(64, 256, 256);
        byte[] reference = Masks.box(grid, new int[] {60, 3, 9}, new int[] {64, 8, 13});
        byte[] prediction = Masks.box(grid, new int[] {59, 4, 9}, new int[] {63, 9, 12});
        MaskPair pair = MaskPair.of(reference, prediction, grid, 1, 1, 1);
        assertThat(pair.box()).isEqualTo(new Grid(5, 6, 4));
        assertThat(pair.counts()).isEqualTo(new Confusion(36, 24, 44, grid.voxels() - 104L));
        assertThat(pair.diagonalMm()).isCloseTo(Math.sqrt(63 * 63 + 2 * 255 * 255), within(1e-12));
    }

    @Test
    void errorsSayWhatIsWrong() {
        byte[] mask = new byte[GRID.voxels()];
        assertThatThrownBy(() -> MaskPair.of(new byte[3], mask, GRID, SPACING))
                .isInstanceOf(ShapeException.class)
                .hasMessageContainingAll("reference", "3 voxels", "480");
        assertThatThrownBy(() -> MaskPair.of(mask, mask, GRID, 1, 1)).hasMessageContainingAll("2 spacings", "depth 1");
        assertThatThrownBy(() -> MaskPair.of(mask, mask, GRID, 1)).hasMessageContaining("1 spacings");
        assertThatThrownBy(() -> MaskPair.of(mask, mask, GRID, 1, 0, 1))
                .hasMessageContainingAll("positive", Arrays.toString(new double[] {1, 0, 1}));
        LabelVolume a = new LabelVolume(new short[1], new Grid(1, 1, 1), Geometry.ofSpacing(1, 1, 1));
        LabelVolume b = new LabelVolume(new short[2], new Grid(1, 1, 2), Geometry.ofSpacing(1, 1, 1));
        assertThatThrownBy(() -> MaskPair.of(a, b, Set.of(1), -1))
                .hasMessageContainingAll("[1, 1, 1]", "[1, 1, 2]", "same image");
        assertThatThrownBy(() -> Metric.of("dyce"))
                .isInstanceOf(ConfigException.class)
                .hasMessageContainingAll("dyce", "dice, iou", "lesion_f1");
        assertThatThrownBy(() -> CaseMetrics.Options.DEFAULT.withTolerance(-1))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("-1.0 mm");
    }
}
