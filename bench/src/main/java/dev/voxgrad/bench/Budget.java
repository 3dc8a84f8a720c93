package dev.voxgrad.bench;

import dev.voxgrad.engine.profile.Recording;
import dev.voxgrad.engine.tensor.Device;
import dev.voxgrad.engine.tensor.Precision;
import dev.voxgrad.engine.tensor.Shape;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code bench/run.sh budget}: what the engine adds to its kernels, held against limits. */
@Command(
        name = "budget",
        mixinStandardHelpOptions = true,
        description = "Measures what the engine adds to its kernels; the exit status is 1 when a limit is missed.")
final class Budget implements Callable<Integer> {
    /** The engine's own time in a training step of unet64, in percent of its kernels' time. */
    private static final double STEP_PERCENT = 2;

    /** The engine's own time in a forward pass of a tiny 2D network. */
    private static final double FORWARD_MS = 1;

    private static final NetworkProblem UNET64 = network(new Shape(2, 64, 64, 64, 1), List.of(32, 64, 128, 256));
    private static final NetworkProblem TINY = network(new Shape(1, 1, 64, 64, 1), List.of(8, 16, 32));
    private static final int TINY_RUNS = 300;
    private static final int TINY_WARM_UP = 100;

    @Option(names = "--threads", description = "Threads of the kernels; default all processors.")
    private int threads;

    @Option(names = "--steps", defaultValue = "3", description = "Steps of unet64 to record. Default 3.")
    private int steps;

    /**
     * One run as the recording saw it.
     *
     * @param calls of kernels
     * @param kernelMs in kernels
     * @param engineMs everything else: tape, scopes, memory, structs, copies of the batch
     */
    record Share(int calls, double kernelMs, double engineMs) {
        double percent() {
            return 100 * engineMs / kernelMs;
        }
    }

    private static NetworkProblem network(Shape input, List<Integer> features) {
        int dim = input.d() == 1 ? 2 : 3;
        return new NetworkProblem(
                "budget", NetworkProblem.network("plain", dim, 1, 4, features), input, Precision.DEFAULT);
    }

    @Override
    public Integer call() throws RunnerException {
        double perOp = 0;
        System.out.println("| call path, one thread | ns |\n|---|---|");
        for (RunResult result : callPath()) {
            String label = result.getPrimaryResult().getLabel();
            double ns = result.getPrimaryResult().getScore();
            perOp = label.equals("opWithGradient") ? ns : perOp;
            System.out.printf(Locale.ROOT, "| %s | %.0f |%n", label, ns);
        }
        Share step = median(shares(UNET64, Direction.STEP, threads, 1, steps));
        Share forward = median(shares(TINY, Direction.FORWARD, threads, TINY_WARM_UP, TINY_RUNS));
        System.out.printf(
                Locale.ROOT,
                "%nunet64 step: %d kernel calls, %.1f ms in kernels, %.2f ms beside them (%d x %.0f ns = %.2f ms)%n",
                step.calls,
                step.kernelMs,
                step.engineMs,
                step.calls,
                perOp,
                step.calls * perOp / 1e6);
        System.out.printf(
                Locale.ROOT,
                "2D U-Net 8-16-32 on 64x64, forward: %d kernel calls, %.3f ms in kernels, %.3f ms beside them%n",
                forward.calls,
                forward.kernelMs,
                forward.engineMs);
        List<Check> checks = checks(step, forward);
        System.out.println("\n| budget | measured | at most | |\n|---|---|---|---|");
        for (Check check : checks) {
            System.out.printf(
                    Locale.ROOT,
                    "| %s | %.3f | %.0f | %s |%n",
                    check.name(),
                    check.measured(),
                    check.limit(),
                    check.met() ? "PASS" : "FAIL");
        }
        return checks.stream().allMatch(Check::met) ? 0 : 1;
    }

    static List<Check> checks(Share step, Share forward) {
        return List.of(
                new Check("engine in a unet64 step, % of its kernels", step.percent(), STEP_PERCENT),
                new Check("engine in a forward pass of a tiny 2D network, ms", forward.engineMs, FORWARD_MS));
    }

    /** In a JVM of its own, whose compiler has seen nothing else. */
    private static Collection<RunResult> callPath() throws RunnerException {
        return new Runner(new OptionsBuilder()
                        .include(CallPathBenchmark.class.getName())
                        .forks(1)
                        .jvmArgs(
                                "-Xmx512m",
                                "--enable-native-access=ALL-UNNAMED",
                                "-Dvoxgrad.native.path=" + System.getProperty("voxgrad.native.path"))
                        .warmupIterations(3)
                        .warmupTime(TimeValue.milliseconds(500))
                        .measurementIterations(5)
                        .measurementTime(TimeValue.milliseconds(500))
                        .shouldFailOnError(true)
                        .verbosity(VerboseMode.SILENT)
                        .build())
                .run();
    }

    /** What the recording says about each of several runs. */
    static List<Share> shares(NetworkProblem problem, Direction direction, int threads, int warmUp, int runs) {
        List<Share> shares = new ArrayList<>();
        Device device = Device.cpu(threads);
        try (Side.Run run = new OurNetwork(device, problem, direction)) {
            for (int i = 0; i < warmUp; i++) {
                run.milliseconds();
            }
            try (Recording recording = Recording.start(device)) {
                for (int i = 0; i < runs; i++) {
                    recording.restart();
                    run.milliseconds();
                    recording.endStep();
                    long kernels = recording.calls().stream()
                            .mapToLong(Recording.Call::ns)
                            .sum();
                    long engine = recording.hostNs().values().stream()
                            .mapToLong(Long::longValue)
                            .sum();
                    shares.add(new Share(recording.calls().size(), kernels / 1e6, engine / 1e6));
                }
            }
        }
        return shares;
    }

    /** The run in the middle by the engine's share. */
    static Share median(List<Share> shares) {
        return shares.stream()
                .sorted((a, b) -> Double.compare(a.percent(), b.percent()))
                .toList()
                .get(shares.size() / 2);
    }
}
