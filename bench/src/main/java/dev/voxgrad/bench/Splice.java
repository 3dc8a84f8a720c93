package dev.voxgrad.bench;

import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.DataException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Renews the table of the README from the newest saved results: {@code bench/readme.csv} says which rows it has. Results of one problem
 * against several peers give one row, with the fastest peer.
 */
final class Splice {
    static final String BEGIN = "<!-- bench/run.sh --splice renews what follows -->";
    static final String END = "<!-- to here -->";

    private static final JsonMapper JSON = JsonMapper.builder().build();

    /** A measured row with the first line of its file. */
    private record Line(JsonNode head, JsonNode row) {
        String date() {
            return head.path("date").asString("");
        }

        double number(String key) {
            JsonNode value = row.path(key);
            return value.isNumber() ? value.asDouble() : Double.NaN;
        }

        boolean is(String problem, String direction, int threads) {
            return row.path("problem").asString("").equals(problem)
                    && row.path("direction").asString("").equals(direction)
                    && row.path("threads").asInt(0) == threads
                    && row.path("error").isMissingNode();
        }

        /** Infinite without a peer, so that any peer is preferred. */
        double peerMs() {
            double ms = number("peer_ms");
            return Double.isNaN(ms) ? Double.POSITIVE_INFINITY : ms;
        }
    }

    private final List<Line> lines = new ArrayList<>();
    private final List<String> missing = new ArrayList<>();
    private final Map<String, Set<String>> versions = new LinkedHashMap<>(); // by machine

    /**
     * Reads all saved results; those of the last run that was not saved by name are not among them.
     *
     * @param results the folder
     */
    Splice(Path results) throws IOException {
        try (Stream<Path> files = Files.list(results)) {
            for (Path file : files.filter(f -> f.toString().endsWith(".jsonl"))
                    .filter(f -> !f.getFileName().toString().startsWith(Main.LATEST))
                    .sorted()
                    .toList()) {
                List<JsonNode> nodes =
                        Files.readAllLines(file).stream().map(JSON::readTree).toList();
                nodes.stream().skip(1).forEach(row -> lines.add(new Line(nodes.getFirst(), row)));
            }
        }
    }

    /** Rows of the table that no saved result has. */
    List<String> missing() {
        return List.copyOf(missing);
    }

    /**
     * The text with its table renewed.
     *
     * @throws DataException when the marks are missing
     */
    String renew(String readme, List<Rows.Row> rows) {
        int begin = readme.indexOf(BEGIN);
        int end = readme.indexOf(END);
        if (begin < 0 || end < begin) {
            throw new DataException("README.md: there is no " + BEGIN + " ... " + END);
        }
        String table = table(rows);
        return readme.substring(0, begin) + BEGIN + "\n" + table + readme.substring(end);
    }

    private String table(List<Rows.Row> rows) {
        StringBuilder table = new StringBuilder(
                "| | threads | voxgrad | fastest peer | ratio | commit |\n|---|---|---|---|---|---|\n");
        for (Rows.Row row : rows) {
            int threads = row.integer("threads");
            String problem = row.text("problem");
            String direction = row.text("direction");
            Optional<Line> line = newest(problem, direction, threads);
            if (line.isEmpty()) {
                missing.add(problem + ", " + direction + ", " + threads + " threads");
                continue;
            }
            noteVersions(line.get().head);
            table.append(cells(row.text("text"), threads, line.get()));
        }
        versions.forEach((machine, all) -> table.append("\n%s: %s\n".formatted(machine, String.join(", ", all))));
        return table.toString();
    }

    private void noteVersions(JsonNode head) {
        String machine =
                head.path("machine").asString("") + " (" + head.path("isa").asString("") + ")";
        Set<String> known = versions.computeIfAbsent(machine, name -> new LinkedHashSet<>());
        known.addAll(List.of(head.path("versions").asString("").split(", ")));
        known.add("JDK " + head.path("jdk").asString(""));
    }

    private Optional<Line> newest(String problem, String direction, int threads) {
        List<Line> found =
                lines.stream().filter(l -> l.is(problem, direction, threads)).toList();
        Optional<String> date = found.stream().map(Line::date).max(Comparator.naturalOrder());
        return found.stream()
                .filter(l -> l.date().equals(date.orElseThrow()))
                .min(Comparator.comparingDouble(Line::peerMs));
    }

    private static String cells(String text, int threads, Line line) {
        double gflops = line.number("gflops");
        boolean layer = line.row.path("problem").asString("").startsWith("conv");
        String ours = time(line.number("ours_ms"))
                + (layer && !Double.isNaN(gflops) ? String.format(Locale.ROOT, ", %.0f GFLOP/s", gflops) : "");
        double peer = line.number("peer_ms");
        String theirs = Double.isNaN(peer)
                ? "none"
                : time(peer) + " (" + line.row.path("peer").asString("") + " "
                        + line.row.path("peer_setting").asString("") + ")";
        double ratio = line.number("ratio");
        String by = Double.isNaN(ratio) ? "" : String.format(Locale.ROOT, "%.1f", ratio);
        String commit = line.head.path("commit").asString("");
        return "| " + String.join(" | ", text, Integer.toString(threads), ours, theirs, by, commit) + " |\n";
    }

    private static String time(double ms) {
        double value = ms < 1000 ? ms : ms / 1000;
        int decimals = value < 10 ? 2 : value < 100 ? 1 : 0;
        return String.format(Locale.ROOT, "%." + decimals + "f %s", value, ms < 1000 ? "ms" : "s");
    }

    /** Renews the README of a project; says on the error stream which rows were never measured. */
    static void run(Path root) throws IOException {
        Path table = root.resolve("bench/readme.csv");
        if (!Files.exists(table)) {
            throw new ConfigException(table + " is missing");
        }
        Splice splice = new Splice(root.resolve("bench/results"));
        Path readme = root.resolve("README.md");
        Files.writeString(readme, splice.renew(Files.readString(readme), Rows.read(table)));
        splice.missing().forEach(row -> System.err.println("not in the table, since never saved: " + row));
    }
}
