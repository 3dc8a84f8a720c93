package dev.voxgrad.engine.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.voxgrad.engine.DataException;
import dev.voxgrad.engine.image.Geometry;
import dev.voxgrad.engine.op.Triple;
import dev.voxgrad.engine.tensor.Device;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PreprocessorTest {
    private static final Triple SIZE = new Triple(10, 9, 8);

    /** Data in the box z 2..7, y 1..8, x 0..6; a label 2 voxel outside it. */
    private static Preprocessor.Source source(Geometry geometry, boolean labelled) {
        Random random = new Random(1);
        float[] x = new float[720];
        short[] labels = new short[720];
        for (int z = 2; z < 7; z++) {
            for (int y = 1; y < 8; y++) {
                for (int i = 0; i < 6; i++) {
                    x[(z * 9 + y) * 8 + i] = 10 + random.nextFloat();
                    labels[(z * 9 + y) * 8 + i] = (short) (z == 4 ? 1 : 0);
                }
            }
        }
        return new Preprocessor.Source(
                "case", List.of(x), SIZE, geometry, labelled ? Optional.of(labels) : Optional.empty());
    }

    private static PreparedCase prepare(Plan plan, Preprocessor.Source source) {
        try (Device device = Device.cpu()) {
            return new Preprocessor(plan, device).prepare(source);
        }
    }

    @Test
    void aCaseIsCroppedAndNormalised() {
        PreparedCase c = prepare(Plans.small("zscore"), source(Geometry.ofSpacing(1, 1, 1), true));
        assertThat(c.crop()).isEqualTo(new CropBox(new Triple(2, 1, 0), new Triple(7, 8, 6)));
        assertThat(c.size()).isEqualTo(new Triple(5, 7, 6));
        double sum = 0;
        double squares = 0;
        for (float v : c.image()) {
            sum += v;
            squares += v * v;
        }
        assertThat(sum / c.image().length).isCloseTo(0, within(1e-5));
        assertThat(squares / c.image().length).isCloseTo(1, within(1e-5));
        assertThat(Arrays.stream(c.locations().get(1))).hasSize(42).allMatch(i -> c.labels()[i] == 1);
        assertThat(c.locations().get(2)).isEmpty();
    }

    @Test
    void withoutLabelsThereAreNoLocations() {
        PreparedCase c = prepare(Plans.small("none"), source(Geometry.ofSpacing(1, 1, 1), false));
        assertThat(c.labels()).isEmpty();
        assertThat(c.locations()).isEmpty();
        assertThat(c.image()[0]).isBetween(10f, 11f);
    }

    @Test
    void aCaseIsResampledToThePlansSpacing() {
        Plan plan = Plans.of(List.of(2.0, 0.5, 1.0), List.of(8, 8, 8), Plans.labels("a", "b"), "zscore");
        PreparedCase c = prepare(plan, source(Geometry.ofSpacing(1, 1, 1), true));
        assertThat(c.size()).isEqualTo(new Triple(2, 14, 6));
        assertThat(c.spacingMm()).containsExactly(2.0, 0.5, 1.0);
        assertThat(c.sourceSize()).isEqualTo(SIZE);
        assertThat(c.separateAxisBack()).isEqualTo(OptionalInt.of(0));
    }

    @Test
    void slicesOfATwoDimensionalPlanKeepTheirDistance() {
        Plan plan = Plans.of(List.of(1.0, 0.5, 0.5), List.of(1, 8, 8), Plans.labels("a", "b"), "zscore");
        PreparedCase c = prepare(plan, source(Geometry.ofSpacing(5, 1, 1), true));
        assertThat(c.size()).isEqualTo(new Triple(5, 14, 12));
        assertThat(c.spacingMm()).containsExactly(5.0, 0.5, 0.5);
    }

    @Test
    void anEmptyImageStaysWhole() {
        Preprocessor.Source empty = new Preprocessor.Source(
                "empty", List.of(new float[720]), SIZE, Geometry.ofSpacing(1, 1, 1), Optional.of(new short[720]));
        PreparedCase c = prepare(Plans.small("zscore"), empty);
        assertThat(c.size()).isEqualTo(SIZE);
        assertThat(c.image()).containsOnly(0);
        PreparedCase masked = prepare(Plans.small("zscore-nonzero"), empty);
        assertThat(masked.image()).containsOnly(0);
    }

    @Test
    void channelsAreInterleaved(@TempDir Path folder) {
        DatasetFolder.valid(folder);
        Plan plan = Plans.of(List.of(1.0, 1.0, 1.0), List.of(8, 8, 8), Plans.labels("a", "b"), "none", "none");
        List<String> told = new ArrayList<>();
        try (Device device = Device.cpu()) {
            List<PreparedCase> cases = new Preprocessor(plan, device)
                    .prepare(RawDataset.open(folder).cases(), c -> told.add(c.id()));
            assertThat(told).containsExactly("p", "q");
            float[] second = DatasetFolder.noise("p".hashCode() + 1);
            for (int i = 0; i < second.length; i++) {
                assertThat(cases.getFirst().image()[2 * i + 1]).isEqualTo(second[i]);
            }
        }
    }

    @Test
    void errorsNameTheCaseAndItsFiles(@TempDir Path folder) {
        DatasetFolder data = DatasetFolder.valid(folder);
        float[] nan = DatasetFolder.noise(1);
        nan[0] = Float.NaN;
        data.image("imagesTr/p_0000.nii.gz", nan);
        Plan plan = Plans.of(List.of(1.0, 1.0, 1.0), List.of(8, 8, 8), Plans.labels("a", "b"), "none", "none");
        try (Device device = Device.cpu()) {
            Preprocessor preprocessor = new Preprocessor(plan, device);
            assertThatThrownBy(() ->
                            preprocessor.prepare(RawDataset.open(folder).cases().getFirst()))
                    .isInstanceOf(DataException.class)
                    .hasMessageContainingAll("case p", "p_0000.nii.gz", "NaN");
            Plan fine = Plans.of(List.of(1e-4, 1e-4, 1e-4), List.of(8, 8, 8), Plans.labels("a", "b"), "none", "none");
            assertThatThrownBy(() -> new Preprocessor(fine, device)
                            .prepare(RawDataset.open(folder).cases().getLast()))
                    .isInstanceOf(DataException.class)
                    .hasMessageContainingAll("q", "coarser");
        }
    }
}
