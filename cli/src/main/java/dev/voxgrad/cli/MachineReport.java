package dev.voxgrad.cli;

import com.sun.management.OperatingSystemMXBean;
import dev.voxgrad.bindings.NativeContext;
import dev.voxgrad.bindings.NativeException;
import dev.voxgrad.bindings.NativeLibrary;
import dev.voxgrad.bindings.ffi.VoxgradH;
import dev.voxgrad.cli.data.BrainFiles;
import dev.voxgrad.cli.data.CacheFolder;
import dev.voxgrad.engine.tensor.Device;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * What a run depends on, for {@code doctor} and bug reports.
 *
 * @param library file of the native library, empty when it cannot be loaded
 * @param cudaUnavailable why there is no CUDA device, empty if there is one
 * @param problems what keeps voxgrad from working, each with its cure; empty when all is well
 */
record MachineReport(
        String voxgrad,
        String java,
        String javaHome,
        String system,
        String library,
        String libraryVersion,
        String processor,
        String instructions,
        int threads,
        long memoryBytes,
        long memoryFreeBytes,
        long javaHeapBytes,
        List<String> cudaDevices,
        String cudaUnavailable,
        String cacheFolder,
        boolean cacheWritable,
        String brainData,
        List<String> problems) {

    /** Looks at this machine; never throws for what it finds missing. */
    static MachineReport examine() {
        List<String> problems = new ArrayList<>();
        NativePart part = nativePart(problems);
        Path cache = CacheFolder.path();
        boolean writable = writable(cache, problems);
        var memory = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        return new MachineReport(
                Version.text(),
                Runtime.version() + " (" + System.getProperty("java.vendor") + ")",
                System.getProperty("java.home"),
                System.getProperty("os.name") + " " + System.getProperty("os.version") + " "
                        + System.getProperty("os.arch"),
                part.file,
                part.version,
                part.processor,
                part.instructions,
                part.threads,
                memory.getTotalMemorySize(),
                memory.getFreeMemorySize(),
                Runtime.getRuntime().maxMemory(),
                part.cudaDevices,
                part.cudaUnavailable,
                cache.toString(),
                writable,
                BrainFiles.describeAvailability(),
                problems);
    }

    private record NativePart(
            String file,
            String version,
            String processor,
            String instructions,
            int threads,
            List<String> cudaDevices,
            String cudaUnavailable) {}

    private static NativePart nativePart(List<String> problems) {
        try (Device cpu = Device.cpu()) {
            NativeContext.Description about = cpu.describe();
            NativeContext.DeviceCount cuda = NativeContext.count(VoxgradH.VG_DEVICE_CUDA());
            List<String> devices = new ArrayList<>();
            for (int i = 0; i < cuda.count(); i++) {
                devices.add(cudaDevice(i, problems));
            }
            return new NativePart(
                    NativeLibrary.load().toString(),
                    NativeLibrary.version(),
                    about.deviceName(),
                    about.isa(),
                    about.threads(),
                    devices,
                    cuda.reason());
        } catch (NativeException e) {
            problems.add(e.getMessage());
            return new NativePart("", "", "", "", 0, List.of(), "the native library does not work");
        }
    }

    private static String cudaDevice(int index, List<String> problems) {
        String name = "cuda:" + index;
        try (Device device = Device.open(name, 0, 0)) {
            NativeContext.Description about = device.describe();
            return "%s  %s, %s, %.1f of %.1f GiB free, %s"
                    .formatted(
                            name,
                            about.deviceName(),
                            about.isa(),
                            gibibytes(about.memoryFreeBytes()),
                            gibibytes(about.memoryTotalBytes()),
                            about.driver());
        } catch (NativeException e) {
            problems.add(name + ": " + e.getMessage());
            return name + "  does not open";
        }
    }

    private static boolean writable(Path cache, List<String> problems) {
        try {
            Files.createDirectories(cache);
            Files.delete(Files.createTempFile(cache, "doctor", ".tmp"));
            return true;
        } catch (IOException e) {
            problems.add("the cache folder " + cache + " is not writable; set VOXGRAD_CACHE to one that is");
            return false;
        }
    }

    static double gibibytes(long bytes) {
        return bytes / (double) (1L << 30);
    }
}
