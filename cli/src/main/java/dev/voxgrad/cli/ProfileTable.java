package dev.voxgrad.cli;

import dev.voxgrad.engine.profile.Profile;
import dev.voxgrad.engine.profile.Row;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** A profile as text: a row for each group of calls and for each activity of the host, the longest first. */
record ProfileTable(ProfileResult result) {
    private static final List<String> COLUMNS = List.of(
            "phase",
            "layer",
            "op",
            "calls",
            "median ms",
            "total ms",
            "share",
            "GFLOP/s",
            "GB/s",
            "roofline",
            "live MB");

    /** Columns before this one hold words, the others numbers. */
    private static final int WORDS = 3;

    private static final double MEGA = 1e6;

    /**
     * Prints the table.
     *
     * @param top rows to print; the others become one; 0 = all
     */
    void print(PrintWriter out, ProfileOptions.By by, int top) {
        Profile profile = result.profile();
        List<Row> rows = switch (by) {
            case LAYER_OP -> profile.rows(Profile.By.LAYER_OP);
            case OP -> profile.rows(Profile.By.OP);
            case LAYER -> profile.rows(Profile.By.LAYER);
            case CALL -> profile.callsOf(profile.medianStep());
        };
        int shown = top == 0 ? rows.size() : Math.min(top, rows.size());
        List<List<String>> lines = new ArrayList<>(List.of(COLUMNS));
        rows.subList(0, shown).forEach(row -> lines.add(line(row)));
        if (shown < rows.size()) {
            lines.add(sum(rows.size() - shown + " more rows", rows.subList(shown, rows.size())));
        }
        if (by != ProfileOptions.By.CALL) {
            lines.add(sum("all", rows));
        }
        out.println(result.title());
        out.println(result.summary());
        out.println();
        align(lines, out);
        out.println();
    }

    private static List<String> line(Row row) {
        return List.of(
                row.phaseName(),
                row.layer().isEmpty() ? "-" : row.layer(),
                row.op().isEmpty() ? "-" : row.op(),
                row.host() ? "" : Integer.toString(row.calls()),
                row.host() ? "" : ms(row.medianMs()),
                ms(row.totalMs()),
                percent(row.share()),
                row.gflops() > 0 ? "%.1f".formatted(row.gflops()) : "",
                row.gbytesPerSecond() > 0 ? "%.1f".formatted(row.gbytesPerSecond()) : "",
                row.roofline() > 0
                        ? "%.0f %% %s"
                                .formatted(100 * row.roofline(), row.bound().substring(0, 1))
                        : "",
                row.host() ? "" : "%.0f".formatted(row.liveBytes() / MEGA));
    }

    private static List<String> sum(String name, List<Row> rows) {
        double ms = rows.stream().mapToDouble(Row::totalMs).sum();
        double share = rows.stream().mapToDouble(Row::share).sum();
        int calls = rows.stream().mapToInt(Row::calls).sum();
        return List.of(name, "", "", Integer.toString(calls), "", ms(ms), percent(share), "", "", "", "");
    }

    /** Milliseconds with about three digits. */
    static String ms(double ms) {
        return String.format(Locale.ROOT, ms >= 100 ? "%.0f" : ms >= 10 ? "%.1f" : ms >= 1 ? "%.2f" : "%.3f", ms);
    }

    private static String percent(double fraction) {
        return "%.1f %%".formatted(100 * fraction);
    }

    private static void align(List<List<String>> lines, PrintWriter out) {
        int[] widths = new int[COLUMNS.size()];
        for (List<String> line : lines) {
            for (int i = 0; i < widths.length; i++) {
                widths[i] = Math.max(widths[i], line.get(i).length());
            }
        }
        for (List<String> line : lines) {
            StringBuilder text = new StringBuilder();
            for (int i = 0; i < widths.length; i++) {
                String side = i < WORDS ? "%-" : "%";
                text.append(i == 0 ? "" : "  ").append(String.format(side + widths[i] + "s", line.get(i)));
            }
            out.println(text.toString().stripTrailing());
        }
    }
}
