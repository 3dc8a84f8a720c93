package dev.voxgrad.engine.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.voxgrad.engine.DataException;
import java.io.IOException;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NiftiReaderTest {
    private static final int VOXELS = NiftiFiles.WIDTH * NiftiFiles.HEIGHT * NiftiFiles.DEPTH;

    @TempDir
    Path folder;

    private Path file(String name) {
        return folder.resolve(name);
    }

    private static byte[] voxels(int... first) {
        byte[] voxels = new byte[VOXELS];
        for (int i = 0; i < first.length; i++) {
            voxels[i] = (byte) first[i];
        }
        return voxels;
    }

    private void refusesLabels(Path path, String... reasons) {
        assertThatThrownBy(() -> NiftiReader.readLabels(path))
                .isInstanceOf(DataException.class)
                .hasMessageContaining(path.toString())
                .message()
                .contains(reasons);
    }

    private void refuses(Path path, String... reasons) {
        assertThatThrownBy(() -> NiftiReader.read(path))
                .isInstanceOf(DataException.class)
                .hasMessageContaining(path.toString())
                .message()
                .contains(reasons);
    }

    @Test
    void labelsScaledToWholeNumbersAreRead() throws IOException {
        // 0.01 as float times 100 is not 1 in double precision, but is once rounded to float.
        Path path = NiftiFiles.u8(file("a.nii"), h -> h.put(NiftiField.SCL_SLOPE, 0, 0.01), voxels(0, 100));
        assertThat(NiftiReader.readLabels(path).labels().label(1)).isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(floats = {0.5f, -1, 65536, Float.NaN, Float.POSITIVE_INFINITY})
    void otherLabelsAreRefusedWithFileValueAndPlace(float label) throws IOException {
        float[] values = new float[VOXELS];
        values[17] = label;
        refusesLabels(NiftiFiles.f32(file("a.nii"), values), "label " + label, "(1, 1, 1)", "0 to 65535");
    }

    @Test
    void allUnsignedShortsAreLabels() throws IOException {
        float[] values = new float[VOXELS];
        values[3] = 65535;
        LabelVolume labels =
                NiftiReader.readLabels(NiftiFiles.f32(file("a.nii"), values)).labels();
        assertThat(labels.label(3)).isEqualTo(65535);
        assertThat(labels.highestLabel()).isEqualTo(65535);
    }

    @Test
    void aLabelMapHasOneChannel() throws IOException {
        Path path = NiftiFiles.u8(
                file("a.nii"),
                h -> {
                    h.put(NiftiField.DIM, 0, 4);
                    h.put(NiftiField.DIM, 4, 2);
                },
                new byte[2 * VOXELS]);
        refusesLabels(path, "dim[4] is 2");
        assertThat(NiftiReader.read(path).volume().channels()).hasSize(2);
    }

    @Test
    void theBytesNotTheNameSayWhatIsCompressed() throws IOException {
        byte[] plain = NiftiFiles.single(NiftiFiles.header(2, ByteOrder.BIG_ENDIAN, NiftiType.U8, h -> {}), voxels(7));
        Path misnamed = Files.write(file("plain.nii.gz"), plain);
        Path unnamed = Files.write(file("packed.nii"), NiftiFiles.gzip(plain));
        assertThat(NiftiReader.readLabels(misnamed).labels().label(0)).isEqualTo(7);
        assertThat(NiftiReader.readLabels(unnamed).labels().label(0)).isEqualTo(7);
        assertThat(NiftiReader.readHeader(unnamed).version()).isEqualTo(2);
    }

    @Test
    void pairsAreFoundFromEitherFileAndMayBeCompressed() throws IOException {
        NiftiHeader header = NiftiFiles.header(1, ByteOrder.LITTLE_ENDIAN, NiftiType.U8, h -> {
            h.putText(NiftiField.MAGIC, "ni1", 4);
            h.put(NiftiField.VOX_OFFSET, 0, 2);
        });
        byte[] image = NiftiFiles.join(new byte[2], voxels(9));
        Files.write(file("a.hdr"), header.bytes());
        Files.write(file("a.img"), image);
        Files.write(file("b.hdr.gz"), NiftiFiles.gzip(header.bytes()));
        Files.write(file("b.img.gz"), NiftiFiles.gzip(image));
        Files.write(file("c.hdr"), header.bytes());
        Files.write(file("c.img.gz"), NiftiFiles.gzip(image));
        for (String name : new String[] {"a.hdr", "a.img", "b.hdr.gz", "b.img.gz", "c.hdr", "c.img.gz"}) {
            assertThat(NiftiReader.readLabels(file(name)).labels().label(0))
                    .as(name)
                    .isEqualTo(9);
        }
        refuses(Files.write(file("d.hdr"), header.bytes()), "d.img", "missing");
        refuses(Files.write(file("e.nii"), header.bytes()), "second file");
        Files.write(file("f.img"), new byte[VOXELS]);
        Files.write(file("f.hdr"), header.bytes());
        assertThatThrownBy(() -> NiftiReader.read(file("f.hdr")))
                .isInstanceOf(DataException.class)
                .hasMessageContaining(file("f.img").toString());
    }

    @Test
    void oddButReadableHeadersGiveWarnings() throws IOException {
        Path path = NiftiFiles.u8(
                file("a.nii"),
                h -> {
                    h.put(NiftiField.BITPIX, 0, 16);
                    h.put(NiftiField.XYZT_UNITS, 0, 5);
                    h.put(NiftiField.QFORM_CODE, 0, 1);
                    h.put(NiftiField.QUATERN, 0, 2);
                    h.put(NiftiField.SFORM_CODE, 0, 1);
                    h.put(NiftiField.SROW, 0, Double.NaN);
                },
                voxels());
        NiftiImage image = NiftiReader.read(path);
        assertThat(image.warnings())
                .hasSize(4)
                .anyMatch(w -> w.contains("bitpix is 16"))
                .anyMatch(w -> w.contains("xyzt_units is 5"))
                .anyMatch(w -> w.contains("sform holds NaN"))
                .anyMatch(w -> w.contains("quatern 2.0"))
                .allMatch(w -> w.contains(path.toString()));
        // Neither transform is usable: centred, x to the left.
        assertThat(image.volume().geometry().origin()).containsExactly(1.5, -1, -0.5);
        assertThat(image.volume().geometry().direction()).containsExactly(-1, 0, 0, 0, 1, 0, 0, 0, 1);
    }

    @Test
    void aSpacingThatTheAffineContradictsIsAWarning() throws IOException {
        Path path = NiftiFiles.u8(
                file("a.nii"),
                h -> {
                    h.put(NiftiField.SFORM_CODE, 0, 1);
                    for (int axis = 0; axis < 3; axis++) {
                        h.put(NiftiField.SROW, axis * 5, 2);
                    }
                },
                voxels());
        assertThat(NiftiReader.read(path).warnings()).hasSize(3).allMatch(w -> w.contains("voxel size of 2.0"));
        assertThat(NiftiReader.read(path).volume().geometry().spacingMm()).containsExactly(1, 1, 1);
    }

    @Test
    void aSingletonTimeAxisIsOneChannel() throws IOException {
        Path path = NiftiFiles.u8(file("a.nii"), h -> h.put(NiftiField.DIM, 0, 5), voxels(3));
        assertThat(NiftiReader.readLabels(path).labels().label(0)).isEqualTo(3);
    }

    @Test
    void refusalsNameFieldAndValue() throws IOException {
        refuses(NiftiFiles.u8(file("a"), h -> h.put(NiftiField.DIM, 2, -3), voxels()), "dim[2] is -3");
        refuses(NiftiFiles.u8(file("a"), h -> h.put(NiftiField.DIM, 0, 9), voxels()), "dim[0] is 9");
        refuses(
                NiftiFiles.u8(file("a"), h -> h.put(NiftiField.DATATYPE, 0, 128), voxels()),
                "datatype is 128",
                "RGB24");
        refuses(NiftiFiles.u8(file("a"), h -> h.put(NiftiField.PIXDIM, 3, 0), voxels()), "pixdim[3] is 0.0");
        refuses(NiftiFiles.u8(file("a"), h -> h.put(NiftiField.VOX_OFFSET, 0, 352.5), voxels()), "vox_offset is 352.5");
        refuses(NiftiFiles.u8(file("a"), h -> h.put(NiftiField.VOX_OFFSET, 0, 1e6), voxels()), "vox_offset is 1000000");
        refuses(NiftiFiles.u8(file("a"), h -> {}, new byte[VOXELS - 1]), "need 24 bytes", "cut off");
        refuses(file("none.nii"), "does not exist");
        refuses(folder, "folder");
    }

    @Test
    void everyGzipMemberIsDecodedAndVerified() throws IOException {
        byte[] plain = NiftiFiles.single(
                NiftiFiles.header(1, ByteOrder.LITTLE_ENDIAN, NiftiType.U8, h -> {}), voxels(1, 2, 3));
        byte[] first = NiftiFiles.gzip(Arrays.copyOf(plain, 300));
        byte[] second = NiftiFiles.gzip(Arrays.copyOfRange(plain, 300, plain.length));
        byte[] empty = NiftiFiles.gzip(new byte[0]);
        byte[] garbage = {'x', 'y', 0, 0};
        Path path = file("a.nii.gz");
        Files.write(path, NiftiFiles.join(empty, first, empty, second, garbage));
        assertThat(NiftiReader.readLabels(path).labels().label(2)).isEqualTo(3);
        Files.write(path, NiftiFiles.join(first, second, new byte[] {0x1f}));
        assertThat(NiftiReader.readLabels(path).labels().label(2)).isEqualTo(3);
        // A member behind the voxels counts as well.
        Files.write(path, NiftiFiles.join(first, second, Arrays.copyOf(empty, empty.length - 1)));
        refuses(path, "gzip data end early");
        byte[] damaged = empty.clone();
        damaged[damaged.length - 8] ^= 1;
        Files.write(path, NiftiFiles.join(first, second, damaged));
        refuses(path, "gzip checksum");
        damaged = empty.clone();
        damaged[damaged.length - 1] ^= 1;
        Files.write(path, NiftiFiles.join(first, second, damaged));
        refuses(path, "gzip length");
    }

    @Test
    void optionalGzipHeaderFieldsAreSkipped() throws IOException {
        byte[] packed = NiftiFiles.gzip(
                NiftiFiles.single(NiftiFiles.header(1, ByteOrder.LITTLE_ENDIAN, NiftiType.U8, h -> {}), voxels(5)));
        byte[] header = Arrays.copyOf(packed, 10);
        header[3] = 2 | 4 | 8 | 16;
        byte[] fields = {3, 0, 1, 2, 3, 'n', 0, 'c', 0, 0, 0};
        Path path = Files.write(
                file("a.nii.gz"), NiftiFiles.join(header, fields, Arrays.copyOfRange(packed, 10, packed.length)));
        assertThat(NiftiReader.readLabels(path).labels().label(0)).isEqualTo(5);
    }

    @Test
    void aGzipFileThatClaimsTooMuchIsRefusedBeforeAllocating() throws IOException {
        byte[] zeros = new byte[100 << 20];
        NiftiHeader header = NiftiFiles.header(1, ByteOrder.LITTLE_ENDIAN, NiftiType.U8, h -> {
            h.put(NiftiField.DIM, 1, 1000);
            h.put(NiftiField.DIM, 2, 1000);
            h.put(NiftiField.DIM, 3, 105);
        });
        // 105 million voxels claimed and all but a few there, in 100 KB: only decoding shows that it is short.
        Path path = Files.write(
                file("a.nii.gz"), NiftiFiles.gzip(NiftiFiles.single(header, Arrays.copyOf(zeros, 104_000_000))));
        long before = Allocations.ofThisThread();
        refuses(path, "need 105000000 bytes");
        assertThat(Allocations.ofThisThread() - before).isLessThan(4 << 20);
    }
}
