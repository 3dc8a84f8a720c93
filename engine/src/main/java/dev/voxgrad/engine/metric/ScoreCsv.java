package dev.voxgrad.engine.metric;

import dev.voxgrad.engine.AtomicFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** Scores as comma separated values (RFC 4180): one line per case and region, one column per metric; {@code nan} and {@code inf}. */
public final class ScoreCsv {
    private ScoreCsv() {}

    /** Writes the file, all or nothing. */
    public static void write(Summary summary, Path file) {
        AtomicFile.write(file, text(summary).getBytes(StandardCharsets.UTF_8));
    }

    static String text(Summary summary) {
        List<String> columns = summary.allColumns();
        StringBuilder text = new StringBuilder();
        List<String> header = new ArrayList<>(List.of("case", "label", "name"));
        header.addAll(columns);
        line(text, header);
        for (CaseScore c : summary.cases()) {
            for (Region region : summary.regions()) {
                List<String> cells = new ArrayList<>(List.of(c.files().id(), region.key(), region.name()));
                columns.forEach(column -> cells.add(number(c.value(region, column))));
                line(text, cells);
            }
        }
        return text.toString();
    }

    private static void line(StringBuilder text, List<String> cells) {
        text.append(cells.stream().map(ScoreCsv::quoted).collect(Collectors.joining(",")))
                .append("\r\n");
    }

    private static String quoted(String cell) {
        return cell.matches("(?s).*[,\"\r\n].*") ? '"' + cell.replace("\"", "\"\"") + '"' : cell;
    }

    /** The shortest text that reads back as the same double; whole numbers without a point. */
    private static String number(double value) {
        if (Double.isNaN(value)) {
            return "nan";
        }
        if (Double.isInfinite(value)) {
            return value > 0 ? "inf" : "-inf";
        }
        return value == Math.rint(value) && Math.abs(value) < 1e15
                ? Long.toString((long) value)
                : Double.toString(value);
    }
}
