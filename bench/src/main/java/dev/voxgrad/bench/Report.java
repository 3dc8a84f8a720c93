package dev.voxgrad.bench;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import tools.jackson.databind.json.JsonMapper;

/** Results as Markdown tables, one for each kind of problem, and as JSON lines. */
final class Report {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final String HEAD = "| %s | ms | GFLOP/s | %% of FMA peak | %% of bandwidth | floor ms | x floor"
            + " | peer | peer ms | ratio | rounds | largest difference | MB | peer MB |";

    private final Machine machine;
    private final boolean jsonShown;
    private final PrintStream out;
    private final List<String> markdown = new ArrayList<>();
    private final List<String> json = new ArrayList<>();
    private Class<?> kind = Void.class;
    private int failed;

    Report(Machine machine, boolean jsonShown, PrintStream out) {
        this.machine = machine;
        this.jsonShown = jsonShown;
        this.out = out;
    }

    /** What was measured where, before the first row. */
    void head(Environment environment) {
        addJson(environment.json(machine));
        addMarkdown(environment.describe(machine));
        environment.missing().forEach(peer -> addMarkdown("\n**" + peer + "**"));
    }

    /** One row. */
    void add(Result result) {
        if (result.problem().getClass() != kind) {
            kind = result.problem().getClass();
            String title = kind.getSimpleName().replace("Problem", "").toLowerCase(Locale.ROOT);
            String head = HEAD.formatted(title);
            addMarkdown("\n" + head + "\n"
                    + "|---".repeat(head.replaceAll("[^|]", "").length() - 1) + "|");
        }
        failed += result.error().isEmpty() ? 0 : 1;
        addJson(result.json(machine));
        addMarkdown(row(result));
    }

    /** The limits after the last row. */
    void end(List<Check> checks) {
        if (!checks.isEmpty()) {
            addMarkdown("\n| limit | measured | at most | |\n|---|---|---|---|");
        }
        for (Check check : checks) {
            addJson(check.json());
            addMarkdown("| " + check.name() + " | " + number(check.measured()) + " | " + number(check.limit()) + " | "
                    + check.verdict() + " |");
        }
    }

    private String row(Result r) {
        String name = r.problem().name() + ", " + r.direction();
        if (!r.error().isEmpty()) {
            return "| " + name + " | ERROR: " + r.error().replace("|", "\\|") + " |" + " |".repeat(12);
        }
        String peer = (r.peer() + " " + r.peerSetting()).strip();
        return "| "
                + String.join(
                        " | ",
                        name,
                        number(r.oursMs()),
                        number(r.gflops()),
                        number(r.percentOfPeak(machine)),
                        number(r.percentOfBandwidth(machine)),
                        number(r.floorMs(machine)),
                        number(r.oursMs() / r.floorMs(machine)),
                        peer,
                        number(r.peerMs()),
                        number(r.ratio()),
                        Integer.toString(r.rounds()),
                        Double.isNaN(r.maxDiff()) ? "" : "%.1e".formatted(r.maxDiff()),
                        number(r.oursMb()),
                        number(r.peerMb()))
                + " |";
    }

    /** Three significant digits, empty for NaN. */
    private static String number(double value) {
        if (Double.isNaN(value)) {
            return "";
        }
        int decimals = Math.max(0, 2 - (int) Math.floor(Math.log10(Math.max(Math.abs(value), 0.01))));
        return ("%." + Math.min(3, decimals) + "f").formatted(value);
    }

    private void addJson(Object line) {
        String text = JSON.writeValueAsString(line);
        json.add(text);
        if (jsonShown) {
            out.println(text);
        }
    }

    private void addMarkdown(String line) {
        markdown.add(line);
        if (!jsonShown) {
            out.println(line);
        }
    }

    /** Rows that are not what was asked for. */
    int failed() {
        return failed;
    }

    /** The tables. */
    String markdown() {
        return String.join("\n", markdown) + "\n";
    }

    /** The JSON lines; the first one says what was measured where. */
    String json() {
        return String.join("\n", json) + "\n";
    }
}
