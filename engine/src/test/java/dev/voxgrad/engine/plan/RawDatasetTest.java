package dev.voxgrad.engine.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.voxgrad.engine.DataException;
import dev.voxgrad.engine.image.Geometry;
import dev.voxgrad.engine.image.Grid;
import dev.voxgrad.engine.op.Triple;
import java.nio.file.Path;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RawDatasetTest {
    @TempDir
    private Path folder;

    private DatasetFolder data;

    @BeforeEach
    void write() {
        data = DatasetFolder.valid(folder);
    }

    private AbstractThrowableAssert<?, ?> assertRefused() {
        return assertThatThrownBy(() -> RawDataset.open(folder).check()).isInstanceOf(DataException.class);
    }

    @Test
    void aValidDataSetGivesCasesAndFingerprint() {
        RawDataset raw = RawDataset.open(folder);
        assertThat(raw.cases()).extracting(Case::id).containsExactly("p", "q");
        assertThat(raw.cases().getFirst().imageFiles())
                .extracting(f -> f.getFileName().toString())
                .containsExactly("p_0000.nii.gz", "p_0001.nii.gz");
        RawDataset.Checked checked = raw.check();
        assertThat(checked.warnings()).isEmpty();
        assertThat(checked.fingerprint().cases()).hasSize(2);
        assertThat(checked.fingerprint().cases().getFirst().sizeAfterCrop()).isEqualTo(new Triple(6, 7, 8));
    }

    @Test
    void findingsOfAllCasesAreCollected() {
        float[] nan = DatasetFolder.noise(1);
        nan[5] = Float.NaN;
        nan[6] = Float.POSITIVE_INFINITY;
        data.image("imagesTr/p_0001.nii.gz", nan);
        short[] labels = DatasetFolder.blocks();
        labels[0] = 7;
        data.labels("labelsTr/q.nii.gz", labels);
        assertRefused()
                .hasMessageContainingAll(
                        "2 problems", "p_0001.nii.gz", "1 NaN", "1 infinite", "q.nii.gz", "[0, 1, 2]", "[0, 1, 2, 7]");
    }

    @Test
    void shapesMustAgree() {
        Grid other = new Grid(6, 7, 9);
        data.labels("labelsTr/p.nii.gz", new short[other.voxels()], other, Geometry.ofSpacing(1, 1, 1));
        data.image("imagesTr/q_0001.nii.gz", new float[other.voxels()], other, Geometry.ofSpacing(1, 1, 1));
        assertRefused()
                .hasMessageContainingAll(
                        "2 problems", "p.nii.gz", "q_0001.nii.gz", "shape [6, 7, 9]", "shape [6, 7, 8]");
    }

    @Test
    void spacingsMustAgreeAndOriginsShould() {
        data.labels("labelsTr/p.nii.gz", DatasetFolder.blocks(), DatasetFolder.GRID, Geometry.ofSpacing(1, 1, 1.1));
        assertRefused().hasMessageContainingAll("p.nii.gz", "spacing");
        double[] affine = Geometry.ofSpacing(1, 1, 1).affine();
        affine[3] = 5;
        data.labels(
                "labelsTr/p.nii.gz",
                DatasetFolder.blocks(),
                DatasetFolder.GRID,
                new Geometry(new double[] {1, 1, 1}, affine));
        assertThat(RawDataset.open(folder).check().warnings())
                .singleElement()
                .asString()
                .contains("p.nii.gz", "affine");
    }

    @Test
    void missingThingsAreNamed() {
        data.delete("labelsTr/p.nii.gz");
        data.description(3, "");
        assertRefused().hasMessageContainingAll("2 problems", "case p", "numTraining is 3", "found 2 cases: p, q");
    }

    @Test
    void missingChannelsAreNamed() {
        data.delete("imagesTr/p_0001.nii.gz");
        assertRefused().hasMessageContainingAll("p: expected 2 channels", "got 1");
    }

    @Test
    void missingFoldersAreNamed(@TempDir Path empty) {
        DatasetFolder none = new DatasetFolder(empty);
        none.description(2, "");
        assertThatThrownBy(() -> RawDataset.open(empty))
                .isInstanceOf(DataException.class)
                .hasMessageContainingAll("imagesTr: missing folder", "labelsTr: missing folder");
    }

    @Test
    void emptyLabelsAndLabelsWithoutImageAreWarnings() {
        data.labels("labelsTr/p.nii.gz", new short[DatasetFolder.GRID.voxels()]);
        data.labels("labelsTr/x.nii.gz", DatasetFolder.blocks());
        assertThat(RawDataset.open(folder).check().warnings())
                .anySatisfy(w -> assertThat(w).contains("x.nii.gz", "without an image"))
                .anySatisfy(w -> assertThat(w).contains("p.nii.gz", "only background"));
    }

    @Test
    void listedCasesReplaceTheScan() {
        data.description(
                1,
                ", \"dataset\": {\"only\": {\"images\": [\"imagesTr/p_0000.nii.gz\", \"imagesTr/q_0000.nii.gz\"],"
                        + " \"label\": \"labelsTr/p.nii.gz\"}}");
        assertThat(RawDataset.open(folder).cases()).extracting(Case::id).containsExactly("only");
        data.description(
                1, ", \"dataset\": {\"only\": {\"images\": [\"$VOXGRAD_UNSET_VARIABLE/x\"], \"label\": \"y\"}}");
        assertThatThrownBy(() -> RawDataset.open(folder)).hasMessageContaining("VOXGRAD_UNSET_VARIABLE");
    }

    @Test
    void foldersWithoutImagesSayHowTheyAreNamed() {
        assertThatThrownBy(() -> Case.scan(folder.resolve("labelsTr"), ".nii.gz"))
                .isInstanceOf(DataException.class)
                .hasMessageContainingAll("labelsTr", "CASE_0000.nii.gz");
    }
}
