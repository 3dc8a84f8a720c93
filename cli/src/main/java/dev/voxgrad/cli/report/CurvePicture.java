package dev.voxgrad.cli.report;

import java.util.List;
import java.util.Locale;

/**
 * Curves over epochs as a drawing inside the page: what is seen before, or without, the interactive ones. Colours come from the
 * page's style.
 */
final class CurvePicture {
    private static final int WIDTH = 640;
    private static final int HEIGHT = 260;
    private static final int LEFT = 46;
    private static final int BOTTOM = 26;
    private static final int TOP = 10;
    private static final int GRID_LINES = 4;

    private CurvePicture() {}

    /** A line: its name, its colour for style sheets, a value per epoch (NaN leaves a gap). */
    record Line(String name, String colour, List<Double> values) {}

    /** An svg element; the lower bound is 0, or the smallest value if that is below. */
    static String svg(String title, List<Integer> epochs, List<Line> lines) {
        double high = bound(lines, false);
        double low = Math.min(0, bound(lines, true));
        StringBuilder svg = new StringBuilder();
        svg.append("<svg class=\"curve\" viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\">"
                .formatted(WIDTH, HEIGHT, Html.text(title)));
        for (int i = 0; i <= GRID_LINES; i++) {
            double value = low + (high - low) * i / GRID_LINES;
            double y = y(value, low, high);
            svg.append(number("<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>", LEFT, WIDTH, y, y));
            svg.append(number("<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%.2f</text>", LEFT - 6, y + 4, value));
        }
        svg.append(number("<text x=\"%d\" y=\"%d\">%d</text>", LEFT, HEIGHT - 6, epochs.getFirst()));
        svg.append(number(
                "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">epoch %d</text>", WIDTH, HEIGHT - 6, epochs.getLast()));
        for (Line line : lines) {
            svg.append("<path d=\"")
                    .append(path(epochs, line.values, low, high))
                    .append("\" style=\"stroke:");
            svg.append(line.colour)
                    .append("\"><title>")
                    .append(Html.text(line.name))
                    .append("</title></path>");
        }
        return svg.append("</svg>").toString();
    }

    private static String path(List<Integer> epochs, List<Double> values, double low, double high) {
        StringBuilder path = new StringBuilder();
        boolean pen = false;
        double first = epochs.getFirst();
        double span = Math.max(1, epochs.getLast() - first);
        for (int i = 0; i < values.size(); i++) {
            if (!Double.isFinite(values.get(i))) {
                pen = false;
                continue;
            }
            double x = LEFT + (WIDTH - LEFT - 4) * (epochs.get(i) - first) / span;
            path.append(number("%s%.1f %.1f", pen ? "L" : "M", x, y(values.get(i), low, high)));
            pen = true;
        }
        return path.toString();
    }

    private static double y(double value, double low, double high) {
        return TOP + (HEIGHT - TOP - BOTTOM) * (high - value) / (high - low);
    }

    private static double bound(List<Line> lines, boolean lowest) {
        var values = lines.stream()
                .flatMap(line -> line.values.stream())
                .filter(Double::isFinite)
                .mapToDouble(v -> v);
        return lowest ? values.min().orElse(0) : Math.max(values.max().orElse(1), 1e-3);
    }

    private static String number(String format, Object... values) {
        return String.format(Locale.ROOT, format, values);
    }
}
