package dev.voxgrad.bench;

import static org.assertj.core.api.Assertions.assertThat;

import dev.voxgrad.engine.tensor.Device;
import dev.voxgrad.engine.tensor.Shape;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/** Every benchmark runs once, so that none rots; nothing is timed here. */
class BenchmarksRunTest {
    @Test
    void everyJmhBenchmarkRuns() throws Exception {
        var results = new Runner(new OptionsBuilder()
                        .include("dev\\.voxgrad\\.bench\\..*")
                        .forks(0)
                        .warmupIterations(0)
                        .measurementIterations(1)
                        .measurementTime(TimeValue.milliseconds(1))
                        .shouldFailOnError(true)
                        .verbosity(VerboseMode.SILENT)
                        .build())
                .run();
        assertThat(results).hasSizeGreaterThanOrEqualTo(3);
    }

    @Test
    void everyProblemCanBeReadAndASmallOneRuns() throws Exception {
        assertThat(ConvProblem.read(Path.of(System.getProperty("voxgrad.root"), "bench/problems/conv3d.csv")))
                .allSatisfy(p -> assertThat(p.flops()).isPositive());
        try (Device device = Device.cpu(1)) {
            ConvBench.Times times =
                    ConvBench.run(device, new ConvProblem("tiny", new Shape(1, 4, 5, 6, 3), 4, 3, 2), 0);
            assertThat(times.forwardMs()).isPositive();
            assertThat(times.backwardMs()).isPositive();
            StepBench.Times step =
                    StepBench.run(device, StepBench.Job.plain("tiny", List.of(2, 3, 4), new Shape(1, 8, 8, 8, 1)), 0);
            assertThat(step.stepMs()).isPositive();
            assertThat(step.forwardMs()).isPositive();
        }
    }
}
