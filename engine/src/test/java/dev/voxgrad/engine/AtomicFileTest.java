package dev.voxgrad.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

class AtomicFileTest {
    @TempDir
    Path folder;

    private Path old() throws IOException {
        return Files.writeString(folder.resolve("mask.nii"), "old");
    }

    private List<String> listing() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(f -> f.getFileName().toString()).toList();
        }
    }

    @Test
    void replacesTheOldFileOnlyWhenComplete() throws IOException {
        Path file = old();
        AtomicFile.write(file, channel -> {
            AtomicFile.writeFully(channel, ByteBuffer.wrap("new".getBytes(StandardCharsets.UTF_8)));
            assertThat(file).hasContent("old");
        });
        assertThat(file).hasContent("new");
        assertThat(listing()).containsExactly("mask.nii");
    }

    @Test
    void aFullDiskLeavesTheOldFileAndNoOther() throws IOException {
        Path file = old();
        assertThatThrownBy(() -> AtomicFile.write(file, channel -> {
                    channel.write(ByteBuffer.wrap(new byte[100]));
                    throw new IOException("No space left on device");
                }))
                .isInstanceOf(DataException.class)
                .hasMessageContaining(file.toString())
                .hasMessageContaining("No space left on device");
        assertThat(file).hasContent("old");
        assertThat(listing()).containsExactly("mask.nii");
    }

    @Test
    void anyOtherFailureCleansUpAndPasses() throws IOException {
        Path file = old();
        assertThatThrownBy(() -> AtomicFile.write(file, channel -> {
                    throw new ShapeException("no");
                }))
                .isInstanceOf(ShapeException.class);
        assertThat(file).hasContent("old");
        assertThat(listing()).containsExactly("mask.nii");
    }

    @Test
    void namesTheMissingFolderAndTheFolderInTheWay() {
        assertThatThrownBy(() -> AtomicFile.write(folder.resolve("no/mask.nii"), new byte[1]))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("folder " + folder.resolve("no") + " does not exist");
        assertThatThrownBy(() -> AtomicFile.write(folder, new byte[1]))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("a folder has this name");
    }

    @Test
    void concurrentWritersOfOneNameEachLeaveACompleteFile() throws IOException {
        Path file = folder.resolve("log.json");
        IntStream.range(0, 200).parallel().forEach(i -> AtomicFile.write(file, new byte[] {(byte) i, (byte) i}));
        byte[] bytes = Files.readAllBytes(file);
        assertThat(bytes).hasSize(2);
        assertThat(bytes[0]).isEqualTo(bytes[1]);
        assertThat(listing()).containsExactly("log.json");
    }

    /** The operating system itself refuses here: a second JVM under a limit of 64 KiB a file writes 1 MiB. */
    @Test
    @DisabledOnOs(OS.WINDOWS)
    void theSystemRefusingToWriteLeavesTheOldFile() throws Exception {
        Path file = old();
        String classes = Path.of(AtomicFile.class
                        .getProtectionDomain()
                        .getCodeSource()
                        .getLocation()
                        .toURI())
                + ":"
                + Path.of(getClass()
                        .getProtectionDomain()
                        .getCodeSource()
                        .getLocation()
                        .toURI());
        Process process = new ProcessBuilder(
                        "sh",
                        "-c",
                        "ulimit -f 64 && exec \"$0\" -Xshare:auto -XX:-UsePerfData -cp \"$1\" \"$2\" \"$3\"",
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        classes,
                        BigWrite.class.getName(),
                        file.toString())
                .redirectErrorStream(true)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(output).contains("DataException", file.toString(), "File too large");
        assertThat(process.exitValue()).isEqualTo(1);
        assertThat(file).hasContent("old");
        assertThat(listing()).containsExactly("mask.nii");
    }

    /** Main class of that second JVM. */
    static final class BigWrite {
        private BigWrite() {}

        public static void main(String[] args) {
            AtomicFile.write(Path.of(args[0]), new byte[1 << 20]);
        }
    }
}
