package dev.voxgrad.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.voxgrad.bench.LossProblem.Target;
import dev.voxgrad.bindings.NativeContext;
import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.nn.NetworkSpec;
import dev.voxgrad.engine.op.Triple;
import dev.voxgrad.engine.tensor.Precision;
import dev.voxgrad.engine.tensor.Shape;
import dev.voxgrad.losses.Losses;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/** Every benchmark runs once, so that none rots; nothing is timed here. With the peers, their answers are compared. */
class BenchmarksRunTest {
    private static Bench bench;

    @BeforeAll
    static void findPeers() {
        bench = new Bench(1, 0, 1);
    }

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
    void everyProblemFileIsRead() throws Exception {
        List<Problem> problems = Problems.read(Path.of(System.getProperty("voxgrad.root"), "bench/problems"));
        assertThat(problems.stream().map(Problem::getClass).distinct()).hasSize(6);
        assertThat(problems).extracting(Problem::name).doesNotHaveDuplicates();
        assertThat(problems)
                .allSatisfy(p -> assertThat(p.directions())
                        .isNotEmpty()
                        .allMatch(direction -> p.flops(direction) > 0 || p.bytes(direction) > 0));
    }

    @Test
    void everyLossIsMeasuredIn2DAnd3D() throws Exception {
        List<LossProblem> losses = Problems.read(Path.of(System.getProperty("voxgrad.root"), "bench/problems")).stream()
                .filter(LossProblem.class::isInstance)
                .map(LossProblem.class::cast)
                .toList();
        assertThat(Losses.factories().keySet()).isNotEmpty().allSatisfy(name -> {
            Pattern call = Pattern.compile("\\b" + name + "\\b");
            assertThat(losses.stream().filter(p -> call.matcher(p.loss()).find()))
                    .as(name)
                    .anyMatch(p -> p.logits().d() == 1)
                    .anyMatch(p -> p.logits().d() > 1);
        });
    }

    @Test
    void limitsReadTheRowsOfTheProblemFiles() throws Exception {
        List<Problem> problems = Problems.read(Path.of(System.getProperty("voxgrad.root"), "bench/problems"));
        Machine machine = new Machine(new NativeContext.Description("", "", "", 1, 0, 0, 0, 0, 0, 0, 0, 0, 0), 100, 6);
        List<Result> results = problems.stream()
                .map(p -> result(p, p.name().equals(Check.BLOBS) ? 4.2 : 2))
                .toList();
        List<Check> checks = Check.of(results, machine);
        // 12 bytes for each of 2 x 64^3 x 4 logits at 6 GB/s are 4.19 ms
        assertThat(checks.getFirst().measured()).isCloseTo(2 / 4.194304, within(1e-9));
        assertThat(checks.get(1).measured()).isEqualTo(2.1);
        assertThat(checks).extracting(Check::verdict).containsExactly("met", "missed");
        Problem blobs = problems.stream()
                .filter(p -> p.name().equals(Check.BLOBS))
                .findFirst()
                .orElseThrow();
        assertThat(Check.of(List.of(result(blobs, 1)), machine)).isEmpty();
        assertThat(new Check("failed", Double.NaN, 2).verdict()).isEqualTo("not measured");
    }

    private static Result result(Problem problem, double ms) {
        return new Result(problem, problem.directions().getFirst(), ms, 0, "", "", Double.NaN, 0, 1, 0, "");
    }

    @Test
    void aJsonLineHasEveryField() throws Exception {
        Machine machine = new Machine(new NativeContext.Description("", "", "", 3, 0, 0, 0, 0, 0, 0, 0, 0, 0), 100, 6);
        Result row = new Result(tinyLoss("ce"), Direction.VALUE_AND_GRADIENT, 2, 10, "peer", "set", 5, 20, 4, 1e-6, "");
        assertThat(row.json(machine))
                .containsEntry("device", "cpu")
                .containsEntry("threads", 3)
                .containsEntry("ratio", 2.5)
                .containsEntry("rounds", 4)
                .containsEntry("rss_mb", 10.0)
                .containsEntry("peer_rss_mb", 20.0)
                .containsKeys("problem", "direction", "ours_ms", "peer", "peer_setting", "peer_ms")
                .containsKeys("max_diff", "gflops", "percent_of_peak", "percent_of_bandwidth")
                .doesNotContainKey("error");
        assertThat(Result.failed(row.problem(), row.direction(), "peer", "set", "why")
                        .json(machine))
                .containsEntry("error", "why")
                .containsEntry("ours_ms", null);
    }

    @Test
    void aBadProblemFileNamesItsLine(@TempDir Path folder) throws Exception {
        Path file = Files.writeString(folder.resolve("conv3d.csv"), "# a comment\nname,batch\n\"a, b\",2\nc,two\n");
        List<Rows.Row> rows = Rows.read(file);
        assertThat(rows.getFirst().text("name")).isEqualTo("a, b");
        assertThatThrownBy(() -> rows.get(1).integer("batch"))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("conv3d.csv line 4")
                .hasMessageContaining("two");
    }

    static Stream<Problem> tinyProblems() throws Exception {
        NetworkSpec plain = NetworkProblem.network("plain", 3, 1, 2, List.of(2, 3));
        List<Problem> tiny = new ArrayList<>(List.of(
                ConvProblem.of("conv 3D", new Shape(1, 4, 5, 6, 3), 4, 3, 2),
                ConvProblem.of("conv 2D", new Shape(2, 1, 5, 6, 3), 4, 3, 1),
                ConvProblem.transposed("transposed 3D", new Shape(2, 4, 5, 6, 3), 4, new Triple(1, 2, 2)),
                ConvProblem.transposed("transposed 2D", new Shape(2, 1, 5, 6, 3), 4, new Triple(1, 2, 2)),
                network("plain", new Shape(1, 8, 8, 16, 1), List.of(4, 6, 8)),
                network("plain", new Shape(2, 1, 16, 8, 2), List.of(4, 6, 8)),
                network("residual encoder", new Shape(1, 8, 8, 16, 1), List.of(4, 6, 8)),
                network("residual encoder", new Shape(2, 1, 16, 8, 1), List.of(4, 6)),
                network("basic", new Shape(1, 16, 16, 32, 1), List.of(4, 4, 6, 6, 8, 4)),
                new OptimizerProblem("sgd", OptimizerProblem.Kind.SGD, plain),
                new OptimizerProblem("adamw", OptimizerProblem.Kind.ADAMW, plain),
                new OptimizerProblem("ranger21", OptimizerProblem.Kind.RANGER21, plain)));
        tiny.add(tinyPrediction(new Triple(13, 8, 30)));
        for (Problem problem : Problems.read(Path.of(System.getProperty("voxgrad.root"), "bench/problems"))) {
            if (problem instanceof LossProblem loss) {
                tiny.add(tiny(loss));
            }
            if (problem instanceof VolumeProblem volume) {
                tiny.add(tiny(volume));
            }
        }
        return tiny.stream();
    }

    private static NetworkProblem network(String kind, Shape input, List<Integer> features) {
        int dim = input.d() == 1 ? 2 : 3;
        return new NetworkProblem(
                kind, NetworkProblem.network(kind, dim, (int) input.c(), 3, features), input, Precision.DEFAULT);
    }

    private static PredictionProblem tinyPrediction(Triple volume) {
        NetworkProblem tile = network("plain", new Shape(1, 8, 8, 16, 1), List.of(4, 6, 8));
        return new PredictionProblem("windows", tile, volume);
    }

    /** The same work on a few voxels, with the sizes that the spacings of the problem lead to. */
    private static VolumeProblem tiny(VolumeProblem p) {
        Triple from = new Triple(9, 20, 30);
        return new VolumeProblem(p.name(), p.work(), from, p.to().equals(p.from()) ? from : new Triple(18, 16, 24));
    }

    /** The same loss on a few voxels, with at most 8 blobs. */
    private static LossProblem tiny(LossProblem p) {
        Shape s = p.logits();
        return new LossProblem(
                p.name(),
                new Shape(2, s.d() == 1 ? 1 : 8, 8, 16, s.c()),
                p.target(),
                Math.min(p.blobs(), 8),
                p.outputs(),
                p.ignore(),
                p.loss(),
                p.eager());
    }

    @ParameterizedTest
    @MethodSource("tinyProblems")
    void everyKindRunsOnEverySide(Problem problem) {
        for (Direction direction : problem.directions()) {
            List<Result> results = bench.run(problem, direction);
            assertThat(results).isNotEmpty().allSatisfy(result -> {
                assertThat(result.error()).isEmpty();
                assertThat(result.oursMs()).isPositive();
                assertThat(result.rounds()).isPositive();
                assertThat(result.peerSetting()).isNotEmpty();
            });
        }
    }

    @Test
    void aSampleIsTwoTilesAndWorkThatIsNotMoreHasNone() {
        PredictionProblem whole = tinyPrediction(new Triple(13, 8, 30));
        PredictionProblem sample = (PredictionProblem) whole.sample().orElseThrow();
        assertThat(whole.places()).hasSize(9);
        assertThat(sample.places()).hasSize(2);
        assertThat(whole.flops(Direction.FORWARD) / sample.flops(Direction.FORWARD))
                .isEqualTo(4.5);
        assertThat(sample.sample()).isEmpty();
    }

    @Test
    void aVolumeThatTakesTooLongIsNotBegun() {
        List<Result> rows = new Bench(1, 0, 0).run(tinyPrediction(new Triple(13, 8, 30)), Direction.FORWARD);
        assertThat(rows).isNotEmpty().allSatisfy(row -> {
            assertThat(row.error()).contains("longer than --minutes 0.0").contains("voxgrad");
            assertThat(row.oursMs()).isNaN();
            assertThat(row.rounds()).isZero();
        });
    }

    @Test
    void aMissingPeerIsNamed() {
        Result result =
                bench.run(tinyLoss("dice + ce"), Direction.VALUE_AND_GRADIENT).getFirst();
        if (bench.missing().stream().noneMatch(peer -> peer.startsWith("pytorch"))) {
            assertThat(result.peer()).isEqualTo("pytorch");
            assertThat(result.peerMs()).isPositive();
        } else {
            assertThat(result.peerSetting()).contains("pytorch: missing").contains("-Ppeers");
        }
    }

    @Test
    void aLossThatDoesNotParseIsAnErrorOfItsRow() {
        Result result =
                bench.run(tinyLoss("nosuchloss"), Direction.VALUE_AND_GRADIENT).getFirst();
        assertThat(result.error()).contains("nosuchloss");
        assertThat(result.oursMs()).isNaN();
    }

    @Test
    void differencesAreRelativeToEachTensorAndNanIsTheWorst() {
        float[] peer = {0, 100, -50};
        assertThat(Difference.of(Map.of("y", new float[] {1, 100, -50}), Map.of("y", peer))
                        .value())
                .isEqualTo(0.01);
        Difference nan = Difference.of(Map.of("y", new float[] {5, Float.NaN, 0}), Map.of("y", peer));
        assertThat(nan.value()).isNaN();
        assertThat(nan.index()).isEqualTo(1);
    }

    private static LossProblem tinyLoss(String text) {
        return new LossProblem(
                "tiny", new Shape(1, 4, 4, 4, 2), Target.CLASSES, 0, 1, OptionalInt.empty(), text, "dice + ce");
    }
}
