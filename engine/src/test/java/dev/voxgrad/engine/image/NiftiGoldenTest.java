package dev.voxgrad.engine.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.voxgrad.engine.DataException;
import dev.voxgrad.golden.Golden;
import dev.voxgrad.golden.GoldenCase;
import dev.voxgrad.golden.GoldenTensor;
import dev.voxgrad.golden.Tolerance;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

class NiftiGoldenTest {
    @TempDir
    Path folder;

    @TestFactory
    Stream<DynamicTest> golden() {
        return Golden.category("nifti")
                .tests(Map.of("nifti", NiftiGoldenTest::checkReading, "export_from", this::checkExport));
    }

    private static void checkReading(GoldenCase golden) {
        Path file = golden.file(golden.params().path("file").asString());
        switch (golden.expect().path("status").asString()) {
            case "refuse" ->
                assertThatThrownBy(() -> NiftiReader.read(file))
                        .isInstanceOf(DataException.class)
                        .hasMessageContaining(file.getFileName().toString().replaceFirst("\\.hdr$", ""));
            case "read" -> checkImage(golden, NiftiReader.read(file));
            case "read_or_refuse" -> {
                try {
                    checkImage(golden, NiftiReader.read(file));
                } catch (DataException refused) {
                    assertThat(refused).hasMessageContaining(file.toString());
                }
            }
            default -> golden.fail("status", "unknown: " + golden.expect().path("status"));
        }
    }

    private static void checkImage(GoldenCase golden, NiftiImage image) {
        JsonNode expect = golden.expect();
        NiftiHeader header = image.header();
        // vox_offset, slope, intercept and a zero pixdim[0] are left out: the reference resets them on loading.
        assertThat(header.version()).isEqualTo(expect.path("version").asInt());
        assertThat(header.order() == ByteOrder.LITTLE_ENDIAN ? "little" : "big")
                .isEqualTo(expect.path("endian").asString());
        assertThat(header.datatype()).isEqualTo(expect.path("datatype").asInt());
        assertThat(header.xyztUnits()).isEqualTo(expect.path("xyzt_units").asInt());
        assertThat(header.qformCode()).isEqualTo(expect.path("qform_code").asInt());
        assertThat(header.sformCode()).isEqualTo(expect.path("sform_code").asInt());
        for (int i = 0; i < 8; i++) {
            assertThat(header.dim(i)).isEqualTo(expect.path("dim").path(i).asLong());
            if (i > 0) {
                golden.checkNumber(
                        "pixdim[" + i + "]",
                        Math.abs(expect.path("pixdim").path(i).asDouble()),
                        Math.abs(header.pixdim(i)),
                        golden.tolerance("pixdim"));
            }
        }
        checkGeometry(golden, image.volume().geometry());
        assertThat(image.volume().nanCount()).isEqualTo(expect.path("nan_count").asLong());
        assertThat(image.volume().infCount()).isEqualTo(expect.path("inf_count").asLong());
        checkVoxels(golden, image.volume());
    }

    private static void checkGeometry(GoldenCase golden, Geometry geometry) {
        double[] spacing = geometry.spacingMm();
        JsonNode expectedSpacing = golden.expect().path("spacing_mm_zyx");
        // The table holds the stored numbers; of a 2D image the case's note gives the slice spacing in words.
        boolean flat = golden.expect().path("dim").path(0).asInt() == 2;
        for (int i = 0; i < spacing.length && !expectedSpacing.isMissingNode(); i++) {
            double expected = flat && i == 0
                    ? 999 * expectedSpacing.path(1).asDouble()
                    : expectedSpacing.path(i).asDouble();
            golden.checkNumber("spacing[" + i + "]", expected, spacing[i], golden.tolerance("spacing"));
        }
        Tolerance tolerance = new Tolerance(1e-9, 1e-9, Double.POSITIVE_INFINITY, 0);
        for (int i = 0; i < 16; i++) {
            double expected =
                    golden.expect().path("affine").path(i / 4).path(i % 4).asDouble();
            golden.checkNumber(
                    "affine[" + i / 4 + "][" + i % 4 + "]", expected, geometry.affine(i / 4, i % 4), tolerance);
        }
    }

    /** The reference computes in double; ours is the same rounded once to float. */
    private static void checkVoxels(GoldenCase golden, Volume volume) {
        GoldenTensor values = golden.tensor("outputs/values");
        double[] rounded =
                Arrays.stream(values.values()).map(v -> (double) (float) v).toArray();
        double[] actual = volume.channels().stream()
                .flatMapToDouble(c -> IntStream.range(0, c.length).mapToDouble(i -> c[i]))
                .toArray();
        GoldenTensor expected = new GoldenTensor(values.type(), values.shape(), rounded);
        golden.check("outputs/values", expected, actual, Tolerance.EXACT);
        int[] shape = values.shape();
        int[] sizes = volume.grid().sizes();
        assertThat(Arrays.copyOfRange(sizes, 3 - Math.min(3, shape.length), 3))
                .isEqualTo(Arrays.copyOfRange(shape, Math.max(0, shape.length - 3), shape.length));
        assertThat(volume.channels()).hasSize(shape.length > 3 ? shape[0] : 1);
    }

    private void checkExport(GoldenCase golden) {
        NiftiImage source =
                NiftiReader.read(golden.file(golden.params().path("source").asString()));
        Grid grid = source.volume().grid();
        short[] voxels = new short[grid.voxels()];
        for (int i = 0; i < voxels.length; i++) {
            voxels[i] = (short) (i % 5);
        }
        LabelVolume labels = new LabelVolume(voxels, grid, source.volume().geometry());
        for (String name : new String[] {"a.nii", "a.nii.gz"}) {
            Path file = folder.resolve(name);
            NiftiWriter.writeLabels(file, labels, 4, source.header());
            NiftiLabels written = NiftiReader.readLabels(file);
            assertThat(written.labels().labels()).isEqualTo(voxels);
            assertThat(written.labels().geometry()).isEqualTo(source.volume().geometry());
            checkGeometry(golden, written.labels().geometry());
            checkHeader(golden, written.header(), source.header());
        }
    }

    private static void checkHeader(GoldenCase golden, NiftiHeader written, NiftiHeader source) {
        Map<String, NiftiField> fields = Map.of(
                "datatype", NiftiField.DATATYPE,
                "bitpix", NiftiField.BITPIX,
                "scl_slope", NiftiField.SCL_SLOPE,
                "scl_inter", NiftiField.SCL_INTER,
                "cal_max", NiftiField.CAL_MAX,
                "cal_min", NiftiField.CAL_MIN,
                "intent_code", NiftiField.INTENT_CODE,
                "vox_offset", NiftiField.VOX_OFFSET);
        golden.expect()
                .path("must_be")
                .properties()
                .forEach(e -> assertThat(written.real(fields.get(e.getKey()), 0))
                        .as(e.getKey())
                        .isEqualTo(e.getValue().asDouble()));
        JsonNode equal = golden.expect().path("must_equal_source");
        checkFields(written, source, equal.path("dim"), NiftiField.DIM);
        checkFields(written, source, equal.path("pixdim"), NiftiField.PIXDIM);
        assertThat(written.xyztUnits()).isEqualTo(equal.path("xyzt_units").asInt());
        assertThat(written.qformCode()).isEqualTo(equal.path("qform_code").asInt());
        assertThat(written.sformCode()).isEqualTo(equal.path("sform_code").asInt());
        String[] quatern = {"quatern_b", "quatern_c", "quatern_d", "qoffset_x", "qoffset_y", "qoffset_z"};
        for (int i = 0; i < quatern.length; i++) {
            assertThat(written.real(NiftiField.QUATERN, i))
                    .isEqualTo(equal.path(quatern[i]).asDouble());
        }
        String[] rows = {"srow_x", "srow_y", "srow_z"};
        for (int i = 0; i < 12; i++) {
            assertThat(written.real(NiftiField.SROW, i))
                    .isEqualTo(equal.path(rows[i / 4]).path(i % 4).asDouble());
        }
    }

    private static void checkFields(NiftiHeader written, NiftiHeader source, JsonNode expected, NiftiField field) {
        for (int i = 0; i < 8; i++) {
            assertThat(written.real(field, i)).as(field + "[" + i + "]").isEqualTo(source.real(field, i));
            assertThat(written.real(field, i))
                    .as(field + "[" + i + "]")
                    .isEqualTo(expected.path(i).asDouble());
        }
    }
}
