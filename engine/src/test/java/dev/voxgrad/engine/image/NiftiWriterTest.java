package dev.voxgrad.engine.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.voxgrad.engine.DataException;
import dev.voxgrad.engine.ShapeException;
import java.io.IOException;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NiftiWriterTest {
    private static final Grid GRID = new Grid(NiftiFiles.DEPTH, NiftiFiles.HEIGHT, NiftiFiles.WIDTH);
    private static final Geometry GEOMETRY = Geometry.ofSpacing(3, 2, 1.5);

    @TempDir
    Path folder;

    private static LabelVolume labels(Grid grid, int... first) {
        short[] voxels = new short[grid.voxels()];
        for (int i = 0; i < first.length; i++) {
            voxels[i] = (short) first[i];
        }
        return new LabelVolume(voxels, grid, GEOMETRY);
    }

    private static NiftiHeader source(int version, ByteOrder order, Consumer<NiftiHeader> edit) {
        return NiftiFiles.header(version, order, NiftiType.F64, edit);
    }

    @Test
    void labelsBelow255AreBytesAndOthersShorts() {
        Path file = folder.resolve("a.nii");
        NiftiHeader source = NiftiHeader.create(GRID, GEOMETRY);
        NiftiWriter.writeLabels(file, labels(GRID, 254, 1), 254, source);
        assertThat(NiftiReader.readHeader(file).datatype()).isEqualTo(NiftiType.U8.code());
        NiftiWriter.writeLabels(file, labels(GRID, 255, 1), 255, source);
        assertThat(NiftiReader.readHeader(file).datatype()).isEqualTo(NiftiType.U16.code());
        NiftiWriter.writeLabels(file, labels(GRID, 65535, 1), 65535, source);
        assertThat(NiftiReader.readLabels(file).labels().label(0)).isEqualTo(65535);
        assertThatThrownBy(() -> NiftiWriter.writeLabels(file, labels(GRID, 3), 2, source))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("label 3 occurs");
    }

    @Test
    void versionAndByteOrderOfTheSourceAreKept() {
        for (int version = 1; version <= 2; version++) {
            for (ByteOrder order : new ByteOrder[] {ByteOrder.LITTLE_ENDIAN, ByteOrder.BIG_ENDIAN}) {
                Path file = folder.resolve("a.nii.gz");
                NiftiWriter.writeLabels(file, labels(GRID, 1, 300), 300, source(version, order, h -> {}));
                NiftiLabels read = NiftiReader.readLabels(file);
                assertThat(read.header().version()).isEqualTo(version);
                assertThat(read.header().order()).isEqualTo(order);
                assertThat(read.labels().label(1)).isEqualTo(300);
                assertThat(read.warnings()).isEmpty();
            }
        }
    }

    @Test
    void onlyTheNamedFieldsChange() {
        byte[] noise = new byte[348];
        new java.util.Random(3).nextBytes(noise);
        NiftiHeader source = source(1, ByteOrder.LITTLE_ENDIAN, h -> {
            // glmax, slice_duration, aux_file, quaternion and matrix: copied, whatever they hold.
            for (int at : new int[] {120, 132, 140, 228, 256, 300}) {
                for (int i = 0; i < 4; i++) {
                    h.put(NiftiField.MAGIC, at - 344 + i, noise[at + i]);
                }
            }
            h.put(NiftiField.INTENT_CODE, 0, 1002);
            h.putText(NiftiField.INTENT_NAME, "atlas", NiftiField.INTENT_NAME_BYTES);
            h.put(NiftiField.CAL_MAX, 0, 5);
        });
        Path file = folder.resolve("a.nii");
        NiftiWriter.writeLabels(file, labels(GRID, 1), 1, source);
        byte[] before = source.bytes();
        byte[] after = NiftiReader.readHeader(file).bytes();
        List<int[]> allowed = List.of(
                new int[] {68, 74}, new int[] {108, 120}, new int[] {124, 132}, new int[] {148, 228}, new int[] {
                    328, 344
                });
        for (int i = 0; i < before.length; i++) {
            int at = i;
            if (allowed.stream().noneMatch(r -> at >= r[0] && at < r[1])) {
                assertThat(after[i]).as("header byte " + i).isEqualTo(before[i]);
            }
        }
        assertThat(NiftiReader.readHeader(file).integer(NiftiField.INTENT_NAME, 0))
                .isZero();
    }

    @Test
    void channelsBecomeAFourthAxis() {
        float[] a = new float[GRID.voxels()];
        float[] b = new float[GRID.voxels()];
        a[0] = 0.25f;
        b[23] = Float.NaN;
        Path file = folder.resolve("p.nii.gz");
        NiftiWriter.writeFloat(file, List.of(a, b), source(1, ByteOrder.BIG_ENDIAN, h -> {}));
        Volume read = NiftiReader.read(file).volume();
        assertThat(read.channels()).hasSize(2);
        assertThat(read.channel(0)).isEqualTo(a);
        assertThat(read.channel(1)).isEqualTo(b);
        assertThat(read.nanCount()).isEqualTo(1);
        NiftiWriter.writeFloat(file, List.of(a), source(1, ByteOrder.BIG_ENDIAN, h -> {}));
        assertThat(NiftiReader.readHeader(file).dim(0)).isEqualTo(3);
    }

    @Test
    void aFourDimensionalSourceGivesThreeAxesAndAFlatOneTwo() {
        Path file = folder.resolve("a.nii");
        NiftiWriter.writeLabels(file, labels(GRID, 1), 1, source(1, ByteOrder.LITTLE_ENDIAN, h -> {
            h.put(NiftiField.DIM, 0, 4);
            h.put(NiftiField.DIM, 4, 6);
            h.put(NiftiField.PIXDIM, 4, 0.5);
        }));
        NiftiHeader written = NiftiReader.readLabels(file).header();
        assertThat(written.dim(0)).isEqualTo(3);
        assertThat(written.dim(4)).isEqualTo(1);
        assertThat(written.pixdim(4)).isEqualTo(1);
        NiftiHeader flat = source(1, ByteOrder.LITTLE_ENDIAN, h -> h.put(NiftiField.DIM, 0, 2));
        Grid slice = new Grid(1, NiftiFiles.HEIGHT, NiftiFiles.WIDTH);
        NiftiWriter.writeLabels(file, labels(slice, 1), 1, flat);
        assertThat(NiftiReader.readLabels(file).header().dim(0)).isEqualTo(2);
        NiftiWriter.writeFloat(file, List.of(new float[12], new float[12]), flat);
        assertThat(NiftiReader.read(file).volume().channels()).hasSize(2);
    }

    @Test
    void aNewHeaderCarriesTheGeometry() {
        Path file = folder.resolve("a.nii");
        NiftiWriter.writeLabels(file, labels(GRID, 1), 1, NiftiHeader.create(GRID, GEOMETRY));
        assertThat(NiftiReader.readLabels(file).labels().geometry()).isEqualTo(GEOMETRY);
        assertThat(NiftiReader.readLabels(file).warnings()).isEmpty();
        Grid wide = new Grid(1, 1, 40_000);
        NiftiWriter.writeLabels(file, labels(wide, 1), 1, NiftiHeader.create(wide, GEOMETRY));
        NiftiLabels read = NiftiReader.readLabels(file);
        assertThat(read.header().version()).isEqualTo(2);
        assertThat(read.labels().grid()).isEqualTo(wide);
    }

    @Test
    void equalContentGivesEqualBytes() throws IOException {
        NiftiHeader source = NiftiHeader.create(GRID, GEOMETRY);
        Path a = folder.resolve("a.nii.gz");
        Path b = folder.resolve("b.nii.gz");
        NiftiWriter.writeLabels(a, labels(GRID, 1, 2), 2, source);
        NiftiWriter.writeLabels(b, labels(GRID, 1, 2), 2, source);
        assertThat(a).hasSameBinaryContentAs(b);
        byte[] bytes = Files.readAllBytes(a);
        assertThat(bytes[4] | bytes[5] | bytes[6] | bytes[7]).as("time stamp").isZero();
    }

    @Test
    void theInputIsNeverOverwritten() throws IOException {
        Path input = NiftiFiles.u8(folder.resolve("a.nii"), h -> {}, new byte[24]);
        byte[] before = Files.readAllBytes(input);
        NiftiLabels read = NiftiReader.readLabels(input);
        Path link = Files.createSymbolicLink(folder.resolve("link.nii"), input);
        for (Path target : new Path[] {input, folder.resolve("../" + folder.getFileName() + "/a.nii"), link}) {
            assertThatThrownBy(() -> NiftiWriter.writeLabels(target, read.labels(), 1, read.header()))
                    .isInstanceOf(DataException.class)
                    .hasMessageContaining("is the input itself");
        }
        assertThat(input).hasBinaryContent(before);
    }

    @Test
    void otherShapesAndEndingsAreRefused() {
        NiftiHeader source = NiftiHeader.create(GRID, GEOMETRY);
        Path file = folder.resolve("a.nii");
        assertThatThrownBy(() -> NiftiWriter.writeLabels(file, labels(new Grid(2, 4, 3)), 1, source))
                .isInstanceOf(ShapeException.class)
                .hasMessageContaining("[2, 4, 3]")
                .hasMessageContaining("[2, 3, 4]");
        assertThatThrownBy(() -> NiftiWriter.writeFloat(file, List.of(new float[5]), source))
                .isInstanceOf(ShapeException.class);
        assertThatThrownBy(() -> NiftiWriter.writeLabels(folder.resolve("a.mha"), labels(GRID), 1, source))
                .isInstanceOf(DataException.class)
                .hasMessageContaining(".nii or .nii.gz");
        assertThat(folder).isEmptyDirectory();
    }
}
