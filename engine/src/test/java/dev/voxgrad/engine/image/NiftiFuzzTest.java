package dev.voxgrad.engine.image;

import static org.assertj.core.api.Assertions.assertThat;

import dev.voxgrad.engine.DataException;
import java.io.IOException;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Random damage must lead to a reading or a {@link DataException} that names the file, without large allocations. */
class NiftiFuzzTest {
    private static final int ROUNDS = 800;
    private static final long MAX_ALLOCATED = 2 << 20;
    /** Values that sizes and codes go wrong with. */
    private static final byte[] NASTY = {0, 1, -1, 0x7f, -0x80};

    @TempDir
    Path folder;

    private static List<byte[]> samples() {
        byte[] voxels = new byte[24 * 8];
        new Random(1).nextBytes(voxels);
        return List.of(
                NiftiFiles.single(NiftiFiles.header(1, ByteOrder.LITTLE_ENDIAN, NiftiType.I16, h -> {}), voxels),
                NiftiFiles.single(
                        NiftiFiles.header(
                                1, ByteOrder.BIG_ENDIAN, NiftiType.F32, h -> h.put(NiftiField.QFORM_CODE, 0, 1)),
                        voxels),
                NiftiFiles.single(
                        NiftiFiles.header(
                                2, ByteOrder.LITTLE_ENDIAN, NiftiType.F64, h -> h.put(NiftiField.SFORM_CODE, 0, 1)),
                        voxels),
                NiftiFiles.single(
                        NiftiFiles.header(
                                2, ByteOrder.BIG_ENDIAN, NiftiType.U64, h -> h.put(NiftiField.SCL_SLOPE, 0, 2)),
                        voxels));
    }

    @Test
    void damagedHeaders() throws IOException {
        List<byte[]> samples = samples();
        for (int seed = 0; seed < ROUNDS; seed++) {
            Random random = new Random(seed);
            byte[] sample = samples.get(seed % samples.size());
            byte[] bytes = Arrays.copyOf(sample, sample.length - (random.nextInt(8) == 0 ? random.nextInt(600) : 0));
            for (int i = random.nextInt(5); i >= 0 && bytes.length > 0; i--) {
                int at = random.nextInt(Math.min(bytes.length, 560));
                bytes[at] = random.nextBoolean() ? NASTY[random.nextInt(NASTY.length)] : (byte) random.nextInt(256);
            }
            check(seed, random.nextInt(4) == 0 ? NiftiFiles.gzip(bytes) : bytes);
        }
    }

    @Test
    void damagedGzip() throws IOException {
        byte[] packed = NiftiFiles.gzip(samples().getFirst());
        for (int seed = 0; seed < ROUNDS; seed++) {
            Random random = new Random(seed);
            byte[] bytes = Arrays.copyOf(packed, packed.length - random.nextInt(2) * random.nextInt(packed.length));
            for (int i = random.nextInt(3); i >= 0 && bytes.length > 0; i--) {
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
            }
            check(seed, bytes);
        }
    }

    private void check(int seed, byte[] bytes) throws IOException {
        Path path = Files.write(folder.resolve("a.nii"), bytes);
        long before = Allocations.ofThisThread();
        try {
            NiftiReader.read(path);
            NiftiReader.readLabels(path);
        } catch (DataException refused) {
            assertThat(refused.getMessage()).as("seed " + seed).contains(path.toString());
        } catch (RuntimeException | Error wrong) {
            throw new AssertionError("seed " + seed, wrong);
        }
        assertThat(Allocations.ofThisThread() - before)
                .as("bytes allocated, seed " + seed)
                .isLessThan(MAX_ALLOCATED);
    }
}
