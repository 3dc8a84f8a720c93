package dev.voxgrad.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SafetensorsTest {
    @TempDir
    Path folder;

    private Path sample() {
        Path file = folder.resolve("a.safetensors");
        new Safetensors.Writer()
                .add("w", List.of(2L, 3L), new float[] {1, 2, 3, 4, 5, Float.NaN})
                .add("empty", List.of(0L), new float[0])
                .add("b", List.of(), new float[] {-0f})
                .metadata("about", "a \"quoted\" text")
                .write(file);
        return file;
    }

    @Test
    void writesAndReadsBack() {
        try (Safetensors s = Safetensors.open(sample())) {
            assertThat(s.names()).containsExactly("w", "empty", "b");
            assertThat(s.entry("w").shape()).containsExactly(2L, 3L);
            assertThat(s.floats("w")).containsExactly(1, 2, 3, 4, 5, Float.NaN);
            assertThat(s.floats("empty")).isEmpty();
            assertThat(Float.floatToRawIntBits(s.floats("b")[0])).isEqualTo(0x80000000);
            assertThat(s.metadata()).containsEntry("about", "a \"quoted\" text");
        }
    }

    @Test
    void equalContentGivesEqualBytes() throws Exception {
        byte[] first = Files.readAllBytes(sample());
        assertThat(Files.readAllBytes(sample())).isEqualTo(first);
    }

    @Test
    void missingTensorIsNamed() {
        try (Safetensors s = Safetensors.open(sample())) {
            assertThatThrownBy(() -> s.floats("x"))
                    .isInstanceOf(DataException.class)
                    .hasMessageContaining("a.safetensors")
                    .hasMessageContaining("no tensor x");
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{\"w\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,8]}} | its shape needs 12",
                "{\"w\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,16]}} | the file is cut off",
                "{\"w\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,0]}} | too large",
                "{\"w\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,0]}} | has the size -1",
                "{\"w\":{\"dtype\":\"C64\",\"shape\":[1],\"data_offsets\":[0,8]}} | has the type C64",
                "{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]},\"b\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[2,6]}}"
                        + " | overlap",
                "[1,2,3] | not a JSON object",
                "{\"w\": | not JSON",
            })
    void damagedHeadersAreRefused(String header, String message) throws IOException {
        Path file = folder.resolve("bad.safetensors");
        byte[] json = header.getBytes(StandardCharsets.UTF_8);
        ByteBuffer bytes = ByteBuffer.allocate(8 + json.length + 8).order(ByteOrder.LITTLE_ENDIAN);
        Files.write(file, bytes.putLong(json.length).put(json).array());
        assertThatThrownBy(() -> Safetensors.open(file))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("bad.safetensors")
                .hasMessageContaining(message);
    }

    @Test
    void randomDamageNeverDoesMoreThanThrow() throws IOException {
        byte[] good = Files.readAllBytes(sample());
        Random random = new Random(7);
        Path file = folder.resolve("fuzz.safetensors");
        for (int i = 0; i < 500; i++) {
            byte[] bytes = java.util.Arrays.copyOf(good, random.nextInt(10) == 0 ? random.nextInt(good.length) : good.length);
            for (int k = random.nextInt(4); k >= 0 && bytes.length > 0; k--) {
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
            }
            Files.write(file, bytes);
            try (Safetensors s = Safetensors.open(file)) {
                s.names().forEach(s::bytes);
            } catch (DataException expected) {
                assertThat(expected).hasMessageContaining("fuzz.safetensors");
            }
        }
    }

    @Test
    void failedWriteKeepsTheOldFile() throws IOException {
        Path file = Files.writeString(folder.resolve("old"), "old");
        assertThatThrownBy(() -> AtomicFile.write(file, out -> {
                    out.write(new byte[100_000]);
                    throw new IOException("No space left on device");
                }))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("cannot write " + file)
                .hasMessageContaining("No space left on device");
        assertThat(Files.readString(file)).isEqualTo("old");
        assertThat(Files.list(folder)).containsExactly(file);
    }

    @Test
    void missingFolderIsNamed() {
        assertThatThrownBy(() -> AtomicFile.write(folder.resolve("no/file"), new byte[1]))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("the folder does not exist");
    }
}
