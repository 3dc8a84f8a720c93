package dev.voxgrad.bench;

import dev.voxgrad.engine.tensor.Device;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.regex.Pattern;

/** Prints the tables of networks and convolution layers as Markdown: {@code Main PROBLEM_FILE PEAK_PROGRAM [PATTERN [THREADS]]}. */
public final class Main {
    private static final double SECONDS_EACH = 3;

    private Main() {}

    /** Entry point of {@code bench/run.sh}. */
    public static void main(String[] args) throws Exception {
        Path problems = Path.of(args[0]);
        Pattern pattern = Pattern.compile(args.length > 2 ? args[2] : "");
        int threads = args.length > 3 ? Integer.parseInt(args[3]) : 0;
        try (Device device = Device.cpu(threads)) {
            Machine machine = Machine.measure(device.describe(), Path.of(args[1]));
            System.out.println(LocalDate.now() + ": " + machine.describe());
            System.out.println();
            System.out.println(
                    "| network, 1 channel in, 4 classes | training step ms | forward ms | peak MB of tensors |");
            System.out.println("|---|---|---|---|");
            for (StepBench.Job job : StepBench.JOBS) {
                if (pattern.matcher(job.name()).find()) {
                    try (Device own = Device.cpu(threads)) { // so that the peak is this network's
                        StepBench.Times t = StepBench.run(own, job, SECONDS_EACH);
                        System.out.printf(
                                "| %s | %.1f | %.1f | %.0f |%n", job.name(), t.stepMs(), t.forwardMs(), t.peakMb());
                    }
                }
            }
            System.out.println();
            System.out.println(
                    "| layer | forward ms | GFLOP/s | % of FMA peak | both gradients ms | GFLOP/s | % of FMA peak |");
            System.out.println("|---|---|---|---|---|---|---|");
            for (ConvProblem p : ConvProblem.read(problems)) {
                if (!pattern.matcher(p.name()).find()) {
                    continue;
                }
                ConvBench.Times t = ConvBench.run(device, p, SECONDS_EACH);
                double forward = p.flops() / t.forwardMs() / 1e6;
                double backward = 2 * p.flops() / t.backwardMs() / 1e6;
                System.out.printf(
                        "| %s | %.2f | %.0f | %.0f | %.2f | %.0f | %.0f |%n",
                        p.name(),
                        t.forwardMs(),
                        forward,
                        100 * forward / machine.fmaGflops(),
                        t.backwardMs(),
                        backward,
                        100 * backward / machine.fmaGflops());
            }
        }
    }
}
