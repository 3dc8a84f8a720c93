package dev.voxgrad.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SafetensorsTest {
    @TempDir
    Path folder;

    private Path file(String json, byte... data) throws IOException {
        byte[] header = json.getBytes(StandardCharsets.UTF_8);
        return file(header.length, header, data);
    }

    private Path file(long length, byte[] header, byte... data) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(8 + header.length + data.length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putLong(length).put(header).put(data);
        return Files.write(folder.resolve("t.safetensors"), bytes.array());
    }

    @Test
    void whatIsWrittenIsRead() {
        Path path = folder.resolve("a.safetensors");
        new SafetensorsWriter()
                .metadata("plans", "{\"a\": \"é\"}")
                .u8("mask", new byte[] {0, 1, -1}, 3)
                .f32("weight", new float[] {1, -2.5f, Float.NaN, 4, 5, 6}, 2, 3)
                .f64("loss", new double[] {Math.PI})
                .i64("step", new long[] {Long.MIN_VALUE}, 1)
                .i32("labels", new int[] {-7}, 1)
                .f32("empty", new float[0], 0, 4)
                .writeTo(path);
        try (Safetensors read = Safetensors.open(path)) {
            assertThat(read.names()).containsExactly("loss", "step", "empty", "labels", "weight", "mask");
            assertThat(read.metadata()).isEqualTo(Map.of("plans", "{\"a\": \"é\"}"));
            assertThat(read.shape("weight")).isEqualTo(List.of(2L, 3L));
            assertThat(read.f32("weight")).containsExactly(1, -2.5f, Float.NaN, 4, 5, 6);
            assertThat(read.shape("loss")).isEmpty();
            assertThat(read.f64("loss")).containsExactly(Math.PI);
            assertThat(read.i64("step")).containsExactly(Long.MIN_VALUE);
            assertThat(read.i32("labels")).containsExactly(-7);
            assertThat(read.u8("mask")).containsExactly(0, 1, -1);
            assertThat(read.i32("mask")).containsExactly(0, 1, 255);
            assertThat(read.f32("empty")).isEmpty();
            assertThatThrownBy(() -> read.f32("step")).hasMessageContaining("'step' is I64");
            assertThatThrownBy(() -> read.i64("weight")).hasMessageContaining("'weight' is F32");
            assertThatThrownBy(() -> read.f32("bias"))
                    .isInstanceOf(DataException.class)
                    .hasMessageContaining(path.toString())
                    .hasMessageContaining("no tensor 'bias'");
        }
    }

    @Test
    void equalContentGivesEqualBytesInAnyOrder() throws IOException {
        Path a = folder.resolve("a");
        Path b = folder.resolve("b");
        float[] big = new float[300_000];
        big[299_999] = 7;
        new SafetensorsWriter()
                .metadata("x", "1")
                .metadata("y", "2")
                .f32("w", big, 300_000)
                .u8("m", new byte[1], 1)
                .writeTo(a);
        new SafetensorsWriter()
                .metadata("y", "2")
                .u8("m", new byte[1], 1)
                .f32("w", big, 300_000)
                .metadata("x", "1")
                .writeTo(b);
        assertThat(a).hasSameBinaryContentAs(b);
        try (Safetensors read = Safetensors.open(a)) {
            assertThat(read.f32("w")).isEqualTo(big);
        }
    }

    @Test
    void smallFloatTypesAreWidenedExactly() throws IOException {
        Path path = file(
                "{\"h\":{\"dtype\":\"F16\",\"shape\":[2],\"data_offsets\":[0,4]},"
                        + "\"b\":{\"dtype\":\"BF16\",\"shape\":[1],\"data_offsets\":[4,6]},"
                        + "\"s\":{\"dtype\":\"I16\",\"shape\":[1],\"data_offsets\":[6,8]},"
                        + "\"t\":{\"dtype\":\"BOOL\",\"shape\":[1],\"data_offsets\":[8,9]}}",
                new byte[] {0, 0x3c, 1, 0, (byte) 0x80, (byte) 0xbf, -2, -1, 1});
        try (Safetensors read = Safetensors.open(path)) {
            assertThat(read.f32("h")).containsExactly(1f, 0x1p-24f);
            assertThat(read.f32("b")).containsExactly(-1f);
            assertThat(read.i32("s")).containsExactly(-2);
            assertThat(read.i64("t")).containsExactly(1);
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{`a`:{`dtype`:`F32`,`shape`:[1],`data_offsets`:[0,8]}} | needs 4 bytes",
                "{`a`:{`dtype`:`F32`,`shape`:[3],`data_offsets`:[0,12]}} | outside the 8 data bytes",
                "{`a`:{`dtype`:`F32`,`shape`:[2],`data_offsets`:[8,0]}} | outside",
                "{`a`:{`dtype`:`F32`,`shape`:[-2],`data_offsets`:[0,8]}} | negative",
                "{`a`:{`dtype`:`F32`,`shape`:[4294967296,4294967296],`data_offsets`:[0,8]}} | beyond 64 bits",
                "{`a`:{`dtype`:`F32`,`shape`:[99999999999999999999],`data_offsets`:[0,8]}} | not valid JSON",
                "{`a`:{`dtype`:`C64`,`shape`:[1],`data_offsets`:[0,8]}} | unsupported dtype C64",
                "{`a`:{`dtype`:`U8`,`shape`:[8]}} | needs dtype",
                "{`a`:{`dtype`:`U8`,`shape`:[8],`data_offsets`:[0,8],`x`:1}} | unknown field",
                "{`a`:{`dtype`:`U8`,`shape`:[6],`data_offsets`:[0,6]},`b`:{`dtype`:`U8`,`shape`:[4],`data_offsets`:[4,8]}} | overlap",
                "{`a`:{`dtype`:`U8`,`shape`:[2],`data_offsets`:[0,2]},`b`:{`dtype`:`U8`,`shape`:[4],`data_offsets`:[4,8]}} | gap",
                "{`a`:{`dtype`:`U8`,`shape`:[4],`data_offsets`:[0,4]}} | end at data byte 4",
                "{`a`:{`dtype`:`U8`,`shape`:[8],`data_offsets`:[0,8]},`a`:{}} | not valid JSON",
                "{`a`:{`dtype`:`U8`,`shape`:[8],`data_offsets`:[0,8]}}{} | after its closing brace",
                "{`__metadata__`:{`a`:1}} | VALUE_STRING belongs",
                "[] | START_OBJECT belongs",
                "{`a`: | not valid JSON"
            })
    void refusesBadHeaders(String json, String reason) throws IOException {
        Path path = file(json.replace('`', '"'), new byte[8]);
        assertThatThrownBy(() -> Safetensors.open(path))
                .isInstanceOf(DataException.class)
                .hasMessageContaining(path.toString())
                .hasMessageContaining(reason);
    }

    @Test
    void refusesImpossibleHeaderLengths() throws IOException {
        for (long length : new long[] {-1, 0, 1, 11, 100_000_001, Long.MAX_VALUE}) {
            Path path = file(length, "{}".getBytes(StandardCharsets.UTF_8));
            assertThatThrownBy(() -> Safetensors.open(path))
                    .isInstanceOf(DataException.class)
                    .hasMessageContaining("header length");
        }
        Path tiny = Files.write(folder.resolve("tiny"), new byte[7]);
        assertThatThrownBy(() -> Safetensors.open(tiny)).isInstanceOf(DataException.class);
        assertThatThrownBy(() -> Safetensors.open(folder)).isInstanceOf(DataException.class);
        assertThatThrownBy(() -> Safetensors.open(folder.resolve("none")))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("does not exist");
    }

    @Test
    void refusesDataThatDoNotFitTheirShape() {
        SafetensorsWriter writer = new SafetensorsWriter().f32("w", new float[3], 4);
        assertThatThrownBy(() -> writer.writeTo(folder.resolve("a")))
                .isInstanceOf(ShapeException.class)
                .hasMessageContaining("needs 16 bytes, got 12");
        assertThat(folder).isEmptyDirectory();
        assertThatThrownBy(() -> writer.f32("w", new float[3], 3)).isInstanceOf(ShapeException.class);
    }

    @Test
    void aClosedFileCannotBeRead() throws IOException {
        Safetensors read =
                Safetensors.open(file("{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", (byte) 1));
        MemorySegment segment = read.segment("a");
        read.close();
        read.close();
        assertThatThrownBy(() -> segment.get(ValueLayout.JAVA_BYTE, 0)).isInstanceOf(IllegalStateException.class);
    }

    /** Random damage must lead to a reading or a {@link DataException}, never to anything else. */
    @Test
    void damageIsReadOrRefused() throws IOException {
        Path path = folder.resolve("a.safetensors");
        new SafetensorsWriter()
                .metadata("k", "v")
                .f32("w", new float[6], 2, 3)
                .u8("m", new byte[3], 3)
                .writeTo(path);
        byte[] valid = Files.readAllBytes(path);
        for (int seed = 0; seed < 2000; seed++) {
            Random random = new Random(seed);
            byte[] bytes = Arrays.copyOf(valid, valid.length - random.nextInt(3));
            for (int i = random.nextInt(4); i >= 0; i--) {
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
            }
            Files.write(path, bytes);
            try (Safetensors read = Safetensors.open(path)) {
                read.names().forEach(read::f64);
            } catch (DataException refused) {
                assertThat(refused).hasMessageContaining(path.toString());
            } catch (RuntimeException wrong) {
                throw new AssertionError("seed " + seed, wrong);
            }
        }
    }
}
