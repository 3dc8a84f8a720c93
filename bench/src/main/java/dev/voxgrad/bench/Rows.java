package dev.voxgrad.bench;

import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.op.Triple;
import dev.voxgrad.engine.tensor.Precision;
import dev.voxgrad.engine.tensor.Shape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** A problem file: comma-separated values, the first line names the columns, # starts a comment line, "..." holds commas. */
final class Rows {
    /** Commas with an even number of quotes behind them. */
    private static final String SEPARATOR = ",(?=(?:[^\"]*\"[^\"]*\")*[^\"]*$)";

    /** One problem; asking for a column that is missing or malformed says which line of which file. */
    record Row(String place, Map<String, String> values) {
        String text(String column) {
            String value = values.get(column);
            if (value == null) {
                throw new ConfigException(place + ": there is no column \"" + column + "\"");
            }
            return value;
        }

        int integer(String column) {
            try {
                return Integer.parseInt(text(column));
            } catch (NumberFormatException e) {
                throw new ConfigException(place + ": " + column + " is \"" + text(column) + "\", not a number", e);
            }
        }

        /** Three sizes, outermost first, as in 181x217x181. */
        Triple triple(String column) {
            Matcher sizes = Pattern.compile("(\\d+)x(\\d+)x(\\d+)").matcher(text(column));
            if (!sizes.matches()) {
                throw new ConfigException(
                        place + ": " + column + " is \"" + text(column) + "\", not sizes like 64x64x64");
            }
            return new Triple(
                    Integer.parseInt(sizes.group(1)),
                    Integer.parseInt(sizes.group(2)),
                    Integer.parseInt(sizes.group(3)));
        }

        /** The column precision. */
        Precision precision() {
            return choice("precision", Precision.values());
        }

        /** One of the constants of an enum, in lower case. */
        <E extends Enum<E>> E choice(String column, E[] constants) {
            return Stream.of(constants)
                    .filter(c -> c.name().toLowerCase(Locale.ROOT).equals(text(column)))
                    .findFirst()
                    .orElseThrow(() -> new ConfigException(place + ": " + column + " is \"" + text(column)
                            + "\"; use one of " + Arrays.toString(constants).toLowerCase(Locale.ROOT)));
        }

        /** The columns batch, depth, height, width, and one for the channels. */
        Shape shape(String channels) {
            return new Shape(
                    integer("batch"), integer("depth"), integer("height"), integer("width"), integer(channels));
        }
    }

    private Rows() {}

    static List<Row> read(Path file) throws IOException {
        List<Row> rows = new ArrayList<>();
        List<String> header = List.of();
        List<String> lines = Files.readAllLines(file);
        for (int i = 0; i < lines.size(); i++) {
            String line = lines.get(i);
            if (line.isBlank() || line.startsWith("#")) {
                continue;
            }
            List<String> fields = List.of(line.split(SEPARATOR, -1)).stream()
                    .map(field -> field.strip().replaceAll("^\"|\"$", ""))
                    .toList();
            if (header.isEmpty()) {
                header = fields;
                continue;
            }
            String place = file.getFileName() + " line " + (i + 1);
            if (fields.size() != header.size()) {
                throw new ConfigException(place + ": " + fields.size() + " fields, expected " + header);
            }
            Map<String, String> values = new HashMap<>();
            for (int f = 0; f < fields.size(); f++) {
                values.put(header.get(f), fields.get(f));
            }
            rows.add(new Row(place, values));
        }
        return rows;
    }
}
