package dev.voxgrad.bench;

import dev.voxgrad.engine.tensor.Device;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code bench/run.sh}: measures the problems of {@code bench/problems} against the peers. */
@Command(
        name = "bench/run.sh",
        subcommands = Budget.class,
        mixinStandardHelpOptions = true,
        description = "Times problems against peers in one run: answers compared first, then in turn; medians.")
public final class Main implements Callable<Integer> {
    /** Name of the results of a run that was not saved by a name. */
    static final String LATEST = "latest";

    @Parameters(arity = "0..1", defaultValue = "", description = "Regular expression that a problem's name contains.")
    private Pattern pattern = Pattern.compile("");

    @Option(names = "--threads", description = "Threads of every side; default all processors.")
    private int threads;

    @Option(
            names = "--seconds",
            defaultValue = "5",
            description = "Time for each problem and direction, all sides together; at least three rounds, of a whole"
                    + " volume one. Default 5.")
    private double seconds;

    @Option(
            names = "--minutes",
            defaultValue = "10",
            description =
                    "Longest round of a whole volume, ours and one peer; a longer one is not begun, the row says so. Default 10.")
    private double minutes;

    @Option(names = "--json", description = "Print JSON lines in place of tables.")
    private boolean json;

    @Option(
            names = "--save",
            paramLabel = "NAME",
            defaultValue = LATEST,
            description = "Name of the .md and .jsonl in bench/results. Default: latest, which git ignores.")
    private String save = LATEST;

    @Option(
            names = "--splice",
            description = "Renew the table of README.md from the newest saved results: without measuring, or after"
                    + " measuring with --save.")
    private boolean splice;

    private final Path root;
    private final String commit;

    Main(Path root, String commit) {
        this.root = root;
        this.commit = commit;
    }

    /** Entry point of {@code bench/run.sh}, which sets the properties. */
    public static void main(String[] args) {
        Main main = new Main(Path.of(System.getProperty("voxgrad.root")), System.getProperty("voxgrad.commit"));
        System.exit(new CommandLine(main).execute(args));
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        if (splice && save.equals(LATEST)) {
            Splice.run(root);
            return 0;
        }
        List<Problem> problems = Problems.read(root.resolve("bench/problems")).stream()
                .filter(p -> pattern.matcher(p.name()).find())
                .toList();
        if (problems.isEmpty()) {
            System.err.println("no problem's name contains " + pattern + "; see bench/problems");
            return 2;
        }
        Machine machine;
        try (Device device = Device.cpu(threads)) {
            machine = Machine.measure(device.describe(), root.resolve("native/target/cmake/voxgrad_peak"));
        }
        Bench bench = new Bench(machine.device().threads(), seconds, minutes);
        Report report = new Report(machine, json, System.out);
        report.head(new Environment(
                LocalDateTime.now().truncatedTo(ChronoUnit.MINUTES), commit, bench.versions(), bench.missing()));
        List<Result> measured = new ArrayList<>();
        for (Problem problem : problems) {
            for (Direction direction : problem.directions()) {
                List<Result> rows = bench.run(problem, direction);
                rows.forEach(report::add);
                measured.addAll(rows);
            }
        }
        report.end(Check.of(measured, machine));
        Path results = root.resolve("bench/results");
        Files.writeString(results.resolve(save + ".md"), report.markdown());
        Files.writeString(results.resolve(save + ".jsonl"), report.json());
        if (splice) {
            Splice.run(root);
        }
        if (report.failed() > 0) {
            System.err.println(report.failed() + " rows failed");
            return 1;
        }
        return 0;
    }
}
