package dev.voxgrad.engine.metric;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.image.Grid;
import dev.voxgrad.engine.tensor.Device;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

/** Lesions on a line of voxels: digits are lesions of the reference above, of the prediction below. */
class LesionDetectionTest {
    private static final Device CPU = Device.cpu(2);

    @AfterAll
    static void close() {
        CPU.close();
    }

    private static byte[] line(String text) {
        byte[] mask = new byte[text.length()];
        for (int i = 0; i < mask.length; i++) {
            mask[i] = (byte) (text.charAt(i) == '.' ? 0 : 1);
        }
        return mask;
    }

    private static LesionDetection detect(String reference, String prediction, LesionOptions options) {
        Grid grid = new Grid(1, 1, reference.length());
        return LesionDetection.of(CPU, MaskPair.of(line(reference), line(prediction), grid, 2, 1, 1), options);
    }

    private static LesionOptions options(double overlap, double iou, double minSize, Double... edges) {
        return new LesionOptions(26, overlap, iou, minSize, List.of(edges));
    }

    @Test
    void onePredictionMayDetectManyLesionsButMatchesOne() {
        LesionDetection found = detect("11.22..333.", "111111.....", options(0, 0.1, 0));
        assertThat(found.reference()).isEqualTo(3);
        assertThat(found.predicted()).isOne();
        assertThat(found.detected()).isEqualTo(2);
        assertThat(found.hits()).isOne();
        assertThat(found.recall()).isEqualTo(2.0 / 3);
        assertThat(found.precision()).isOne();
        assertThat(found.f1()).isCloseTo(0.8, within(1e-15));
        assertThat(found.falsePositives()).isZero();
        assertThat(found.falseNegatives()).isOne();
        assertThat(found.countDifference()).isEqualTo(2);
        assertThat(found.matching()).isEqualTo(new LesionMatching(1, 0, 2, 2.0 / 6));
        assertThat(found.matching().f1()).isEqualTo(0.5);
    }

    @Test
    void severalPredictionsTogetherCoverALesion() {
        String reference = "1111111111";
        String prediction = "111.22.333";
        assertThat(detect(reference, prediction, options(0.8, 0.5, 0)).detected())
                .isOne();
        assertThat(detect(reference, prediction, options(0.81, 0.5, 0)).detected())
                .isZero();
        assertThat(detect(reference, prediction, options(1, 0.5, 0)).hits()).isEqualTo(3);
    }

    /** 0.07 * 100 is 7.000000000000001 in binary; 7 voxels are enough. */
    @Test
    void decimalFractionsAreMeantAsWritten() {
        String reference = "1".repeat(100);
        assertThat(detect(reference, "1".repeat(7) + ".".repeat(93), options(0.07, 0.5, 0))
                        .detected())
                .isOne();
        assertThat(detect(reference, "1".repeat(6) + ".".repeat(94), options(0.07, 0.5, 0))
                        .detected())
                .isZero();
    }

    @Test
    void matchesAreBestFirstAndTiesGoToTheFirstLesion() {
        // The prediction has IoU 2/9 with the first reference lesion and 5/8 with the second.
        LesionDetection greedy = detect("111.22222", ".11111111", options(0, 0.1, 0));
        assertThat(greedy.matching()).isEqualTo(new LesionMatching(1, 0, 1, 5.0 / 8));
        // IoU 1/5 with both: the first one is taken, so that the second is free for a match of IoU 1/8.
        LesionDetection tie = detect("111.222.....", "..111.111111", options(0, 0.1, 0));
        assertThat(tie.matching()).isEqualTo(new LesionMatching(2, 0, 0, (0.2 + 0.125) / 2));
    }

    @Test
    void anIouOfExactlyTheThresholdMatches() {
        assertThat(detect("1111", "11..", options(0, 0.5, 0)).matching().tp()).isOne();
        assertThat(detect("1111", "11..", options(0, 0.51, 0)).matching().tp()).isZero();
    }

    @Test
    void smallLesionsAreAsIfTheyWereNotThere() {
        String reference = "1..22..333";
        String prediction = "11..2..333";
        LesionDetection found = detect(reference, prediction, options(0, 0.5, 4)); // voxels have 2 mm^3
        assertThat(found.reference()).isEqualTo(2);
        assertThat(found.predicted()).isEqualTo(2);
        assertThat(found.detected()).isOne();
        assertThat(found.hits()).isOne();
        assertThat(found.matching()).isEqualTo(new LesionMatching(1, 1, 1, 1));
        assertThat(detect(reference, prediction, options(0, 0.5, 4.1)).reference())
                .isOne();
        assertThat(detect(reference, prediction, options(0, 0.5, 1e18)).f1()).isNaN();
    }

    @Test
    void sizeBinsShareTheLesionsOut() {
        String reference = "1.22.333.4444.55555";
        String prediction = "1....333......555.8";
        LesionDetection found = detect(reference, prediction, options(0, 0.5, 0, 4.0, 8.0));
        assertThat(found.bins())
                .containsExactly(
                        new LesionDetection.SizeBin(0, 4, 1, 1, 2, 2),
                        new LesionDetection.SizeBin(4, 8, 2, 1, 2, 2),
                        new LesionDetection.SizeBin(8, Double.POSITIVE_INFINITY, 2, 1, 0, 0));
        assertThat(found.bins().get(1).recall()).isEqualTo(0.5);
        assertThat(found.bins().get(0).falsePositives()).isZero();
        assertThat(found.detected()).isEqualTo(3);
        assertThat(detect(".....", "1.2..", options(0, 0.5, 0, 4.0)).bins().getFirst())
                .isEqualTo(new LesionDetection.SizeBin(0, 4, 0, 0, 2, 0));
    }

    @Test
    void connectivityDecidesWhatIsOneLesion() {
        Grid grid = new Grid(2, 2, 2);
        byte[] diagonal = {1, 0, 0, 0, 0, 0, 0, 1};
        byte[] edge = {1, 0, 0, 0, 0, 1, 0, 0};
        int[] connectivities = {6, 18, 26};
        int[] ofDiagonal = {2, 2, 1};
        int[] ofEdge = {2, 1, 1};
        for (int i = 0; i < 3; i++) {
            LesionOptions options = new LesionOptions(connectivities[i], 0, 0.5, 0, List.of());
            LesionDetection found = LesionDetection.of(CPU, MaskPair.of(diagonal, edge, grid, 1, 1, 1), options);
            assertThat(found.reference()).isEqualTo(ofDiagonal[i]);
            assertThat(found.predicted()).isEqualTo(ofEdge[i]);
        }
    }

    @Test
    void swappingTheMasksSwapsRecallAndPrecision() {
        Grid grid = new Grid(12, 20, 20);
        for (long seed = 1; seed <= 5; seed++) {
            byte[] a = Masks.balls(grid, seed, 8);
            byte[] b = Masks.balls(grid, seed + 100, 8);
            LesionOptions options = options(0.2, 0.1, 3);
            LesionDetection x = LesionDetection.of(CPU, MaskPair.of(a, b, grid, 1, 1, 1), options);
            LesionDetection y = LesionDetection.of(CPU, MaskPair.of(b, a, grid, 1, 1, 1), options);
            assertThat(x.recall()).isEqualTo(y.precision());
            assertThat(x.hits()).isEqualTo(y.detected());
            assertThat(x.matching().tp()).isEqualTo(y.matching().tp());
            assertThat(x.matching().f1()).isEqualTo(y.matching().f1());
        }
    }

    @Test
    void optionsOutOfRangeAreErrors() {
        assertThatThrownBy(() -> new LesionOptions(8, 0, 0.5, 0, List.of()))
                .isInstanceOf(ConfigException.class)
                .hasMessageContainingAll("connectivity 8", "[6, 18, 26]");
        assertThatThrownBy(() -> options(1.1, 0.5, 0)).hasMessageContaining("1.1");
        assertThatThrownBy(() -> options(Double.NaN, 0.5, 0)).hasMessageContaining("NaN");
        assertThatThrownBy(() -> options(0, 0, 0)).hasMessageContaining("IoU threshold 0.0");
        assertThatThrownBy(() -> options(0, 0.5, -1)).hasMessageContaining("-1.0 mm^3");
        assertThatThrownBy(() -> options(0, 0.5, 0, 10.0, 10.0)).hasMessageContaining("[10.0, 10.0]");
        assertThatThrownBy(() -> options(0, 0.5, 0, 0.0)).hasMessageContaining("ascend");
    }
}
