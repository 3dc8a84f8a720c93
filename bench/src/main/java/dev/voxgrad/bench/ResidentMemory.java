package dev.voxgrad.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Resident memory of this process, from Linux's {@code /proc/self}. Both sides live in one process, so a side's memory is the
 * growth while it is set up and runs; {@code bench/run.sh} touches the whole Java heap first, so that Java arrays do not count.
 */
final class ResidentMemory {
    private static final Path STATUS = Path.of("/proc/self/status");

    private ResidentMemory() {}

    /** Megabytes now, after freed memory went back to the system. */
    static double currentMb() {
        Linker linker = Linker.nativeLinker();
        linker.defaultLookup().find("malloc_trim").ifPresent(address -> {
            try {
                int trimmed = (int) linker.downcallHandle(
                                address, FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG))
                        .invokeExact(0L);
                assert trimmed >= 0;
            } catch (Throwable e) {
                throw new IllegalStateException("malloc_trim", e);
            }
        });
        return megabytes("VmRSS");
    }

    /** Starts a new peak at the current size. */
    static void resetPeak() {
        try {
            Files.writeString(Path.of("/proc/self/clear_refs"), "5");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Growth from a size to the largest one since {@link #resetPeak}.
     *
     * @return NaN when the process has shrunk meanwhile: then something else gave more memory back than this took
     */
    static double growthMb(double before) {
        double growth = megabytes("VmHWM") - before;
        return growth < 0 ? Double.NaN : growth;
    }

    private static double megabytes(String key) {
        try {
            Matcher matcher = Pattern.compile(key + ":\\s*(\\d+) kB").matcher(Files.readString(STATUS));
            if (!matcher.find()) {
                throw new IllegalStateException(key + " is missing in " + STATUS);
            }
            return Long.parseLong(matcher.group(1)) * 1024 / 1e6;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
