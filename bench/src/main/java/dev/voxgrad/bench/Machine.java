package dev.voxgrad.bench;

import dev.voxgrad.bindings.NativeContext;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Where a number was measured: machine, versions, and the ceilings measured in the same run. */
record Machine(NativeContext.Description device, double fmaGflops, double copyGbps) {
    /** Runs the program that measures the ceilings. */
    static Machine measure(NativeContext.Description device, Path peakProgram)
            throws IOException, InterruptedException {
        Process process = new ProcessBuilder(peakProgram.toString(), Integer.toString(device.threads()))
                .redirectErrorStream(true)
                .start();
        String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
            throw new IOException(peakProgram + " failed: " + text);
        }
        return new Machine(device, number(text, "fma_gflops"), number(text, "copy_gbps"));
    }

    private static double number(String json, String key) {
        Matcher matcher = Pattern.compile("\"" + key + "\": ([0-9.]+)").matcher(json);
        if (!matcher.find()) {
            throw new IllegalStateException(key + " is missing in " + json);
        }
        return Double.parseDouble(matcher.group(1));
    }

    /** One line for the head of a table. */
    String describe() {
        return "%s, %d threads, tier %s; JDK %s, %s %s; FMA peak %.0f GFLOP/s, copy %.1f GB/s (measured in this run)"
                .formatted(
                        device.deviceName(),
                        device.threads(),
                        device.isa(),
                        System.getProperty("java.version"),
                        System.getProperty("os.name"),
                        System.getProperty("os.version"),
                        fmaGflops,
                        copyGbps);
    }
}
