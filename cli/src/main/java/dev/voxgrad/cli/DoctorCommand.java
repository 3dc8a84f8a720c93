package dev.voxgrad.cli;

import static dev.voxgrad.cli.MachineReport.gibibytes;

import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code voxgrad doctor}: what this machine offers and what is missing. */
@Command(
        name = "doctor",
        description = "Checks this machine: Java, native library, devices, memory, cache, data.",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        footerHeading = "%nExample:%n",
        footer = "  voxgrad doctor --json")
final class DoctorCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private JsonOption json;

    @Override
    public Integer call() {
        MachineReport report = MachineReport.examine();
        PrintWriter out = spec.commandLine().getOut();
        if (json.isSet()) {
            json.print(out, report);
        } else {
            print(report, out);
        }
        return report.problems().isEmpty() ? ExitCode.OK : ExitCode.FAILURE;
    }

    private static void print(MachineReport report, PrintWriter out) {
        line(out, "voxgrad", report.voxgrad());
        line(out, "Java", report.java());
        line(out, "", report.javaHome());
        line(out, "System", report.system());
        line(out, "Library", report.library().isEmpty() ? "cannot be loaded" : report.libraryVersion());
        line(out, "", report.library());
        line(out, "cpu", report.processor());
        line(out, "", "%s instructions, %d threads".formatted(report.instructions(), report.threads()));
        report.cudaDevices().forEach(device -> line(out, "cuda", device));
        if (report.cudaDevices().isEmpty()) {
            line(out, "cuda", "not available: " + report.cudaUnavailable());
        }
        line(
                out,
                "Memory",
                "%.1f of %.1f GiB free, %.1f GiB for Java objects"
                        .formatted(
                                gibibytes(report.memoryFreeBytes()),
                                gibibytes(report.memoryBytes()),
                                gibibytes(report.javaHeapBytes())));
        line(out, "Cache", report.cacheFolder() + (report.cacheWritable() ? "" : " (not writable)"));
        line(out, "Brain MR", report.brainData());
        out.println();
        report.problems().forEach(problem -> out.println("PROBLEM: " + problem));
        out.println(report.problems().isEmpty() ? "Everything that the CPU needs is here." : "");
    }

    private static void line(PrintWriter out, String name, String text) {
        if (!text.isEmpty()) {
            out.println("%-9s %s".formatted(name, text));
        }
    }
}
