package dev.voxgrad.bindings;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.voxgrad.bindings.ffi.VoxgradH;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NativeLibraryTest {
    @TempDir
    Path folder;

    @Test
    void contextReportsItsDevice() {
        try (NativeContext context = NativeContext.open(VoxgradH.VG_DEVICE_CPU(), 0, 3, 0)) {
            NativeContext.Description d = context.describe();
            assertThat(d.threads()).isEqualTo(3);
            assertThat(d.isa()).isIn("portable", "avx2", "avx512", "neon");
            assertThat(d.deviceName()).isNotBlank();
            assertThat(d.memoryTotalBytes()).isGreaterThan(1L << 28);
        }
    }

    @Test
    void memoryLimitIsAnErrorWithNumbers() {
        try (NativeContext context = NativeContext.open(VoxgradH.VG_DEVICE_CPU(), 0, 1, 1 << 20)) {
            assertThatThrownBy(() -> context.allocate(2 << 20))
                    .isInstanceOfSatisfying(
                            NativeException.class, e -> assertThat(e.status()).isEqualTo(NativeStatus.OUT_OF_MEMORY))
                    .hasMessageContaining("memory limit of 1048576 bytes");
            assertThat(context.describe().poolLiveBytes()).isZero();
        }
    }

    @Test
    void freedMemoryIsReused() {
        try (NativeContext context = NativeContext.open(VoxgradH.VG_DEVICE_CPU(), 0, 1, 0)) {
            for (int i = 0; i < 100; i++) {
                context.free(context.allocate(1 << 20));
            }
            assertThat(context.describe().poolReservedBytes()).isEqualTo(1 << 20);
        }
    }

    @Test
    void absentCudaSaysWhy() {
        NativeContext.DeviceCount cuda = NativeContext.count(VoxgradH.VG_DEVICE_CUDA());
        if (cuda.count() == 0) {
            System.out.println("CUDA: skipped, " + cuda.reason());
            assertThat(cuda.reason()).isNotBlank();
            assertThatThrownBy(() -> NativeContext.open(VoxgradH.VG_DEVICE_CUDA(), 0, 0, 0))
                    .isInstanceOfSatisfying(
                            NativeException.class, e -> assertThat(e.status()).isEqualTo(NativeStatus.UNAVAILABLE));
        } else {
            try (NativeContext context = NativeContext.open(VoxgradH.VG_DEVICE_CUDA(), 0, 0, 0)) {
                assertThat(context.describe().deviceName()).isNotBlank();
                assertThat(context.describe().driver()).contains("CUDA");
            }
        }
    }

    @Test
    void missingFileIsNamed() throws Exception {
        assertThat(load("-Dvoxgrad.native.path=" + folder.resolve("nowhere.so")))
                .contains("voxgrad.native.path points to")
                .contains("nowhere.so");
    }

    @Test
    void foreignFileIsRefused() throws Exception {
        Path file = Files.writeString(folder.resolve("libvoxgrad.so"), "not a library");
        assertThat(load("-Dvoxgrad.native.path=" + file)).contains("cannot load " + file);
    }

    @Test
    void unknownTierIsAnError() throws Exception {
        assertThat(run(List.of("VOXGRAD_MAX_ISA=sse9"), List.of())).contains("VOXGRAD_MAX_ISA is \"sse9\"");
    }

    @Test
    void lowestTierCanBeForced() throws Exception {
        String lowest = NativeLibrary.platform().endsWith("aarch64") ? "neon" : "portable";
        assertThat(run(List.of("VOXGRAD_MAX_ISA=" + lowest), List.of())).contains("isa " + lowest);
    }

    private String load(String option) throws Exception {
        return run(List.of(), List.of(option));
    }

    /** Loads the library in a process of its own and returns what it prints. */
    private static String run(List<String> environment, List<String> options) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-Dvoxgrad.native.path=" + System.getProperty("voxgrad.native.path")));
        command.addAll(options);
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), Probe.class.getName()));
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        for (String setting : environment) {
            String[] pair = setting.split("=", 2);
            builder.environment().put(pair[0], pair[1]);
        }
        Process process = builder.start();
        String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        process.waitFor();
        return text;
    }

    /** Opens a CPU context and prints its tier or the error. */
    static final class Probe {
        public static void main(String[] args) {
            try (NativeContext context = NativeContext.open(VoxgradH.VG_DEVICE_CPU(), 0, 1, 0)) {
                System.out.println("isa " + context.describe().isa());
            } catch (NativeException e) {
                System.out.println(e.getMessage());
            } catch (ExceptionInInitializerError e) {
                System.out.println(e.getCause());
            }
        }
    }
}
