package dev.voxgrad.cli;

import dev.voxgrad.engine.metric.Bootstrap;
import dev.voxgrad.engine.metric.Comparison;
import dev.voxgrad.engine.metric.Interval;
import dev.voxgrad.engine.metric.Region;
import dev.voxgrad.engine.metric.Statistics;
import dev.voxgrad.engine.metric.Summary;
import java.io.PrintWriter;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/** Scores for people. */
final class EvaluationTable {
    private EvaluationTable() {}

    /** Mean Dice and IoU of each label. */
    static void printMeans(Summary summary, PrintWriter out) {
        List<List<String>> rows = new ArrayList<>(List.of(List.of("label", "Dice", "IoU")));
        for (Region r : summary.regions()) {
            rows.add(List.of(r.name(), number(summary.mean(r, "Dice")), number(summary.mean(r, "IoU"))));
        }
        means(summary, "Dice")
                .forEach((name, mean) ->
                        rows.add(List.of(name, number(mean.applyAsDouble("Dice")), number(mean.applyAsDouble("IoU")))));
        print(rows, 1, out);
    }

    /**
     * The means over labels: that of nnU-Net, which does not exist if one label has none, as {@code foreground_mean} of the JSON;
     * in that case also the one of the others, {@code foreground_nanmean}.
     */
    private static Map<String, ToDoubleFunction<String>> means(Summary summary, String column) {
        Map<String, ToDoubleFunction<String>> means = new LinkedHashMap<>();
        means.put("mean", summary::foregroundMean);
        if (Double.isNaN(summary.foregroundMean(column)) && !Double.isNaN(summary.foregroundNanMean(column))) {
            means.put("mean of defined labels", summary::foregroundNanMean);
        }
        return means;
    }

    /** Spread over the cases, metric by metric. */
    static void print(Summary summary, Bootstrap bootstrap, PrintWriter out) {
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of(
                "metric",
                "label",
                "mean (SD)",
                "median [quartiles]",
                percent(bootstrap) + " CI of mean",
                "n",
                "undefined",
                "infinite"));
        for (String column : summary.columns()) {
            for (Region region : summary.regions()) {
                Statistics s = summary.statistics(region, column);
                rows.add(List.of(
                        column,
                        region.name(),
                        number(s.mean()) + " (" + number(s.sd()) + ")",
                        number(s.median()) + " [" + number(s.lowerQuartile()) + ", " + number(s.upperQuartile()) + "]",
                        interval(bootstrap.ofMean(summary.values(region, column))),
                        Integer.toString(s.used()),
                        Integer.toString(s.undefined()),
                        Integer.toString(s.infinite())));
            }
            if (summary.averaged().size() > 1) {
                means(summary, column)
                        .forEach((name, mean) -> rows.add(
                                List.of(column, name, number(mean.applyAsDouble(column)), "", "", "", "", "")));
            }
        }
        print(rows, 2, out);
    }

    /** Differences to the other model, metric by metric. */
    static void print(Comparison comparison, Bootstrap bootstrap, PrintWriter out) {
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of(
                "metric",
                "label",
                "first",
                "other",
                "difference",
                "better",
                percent(bootstrap) + " CI",
                "pairs",
                "p Wilcoxon",
                "p sign flip",
                "p Holm"));
        for (Comparison.Row row : comparison.rows()) {
            rows.add(List.of(
                    row.column(),
                    row.region().name(),
                    number(row.first()),
                    number(row.second()),
                    number(row.difference()),
                    row.better(),
                    interval(row.interval()),
                    Integer.toString(row.pairs()),
                    probability(row.signedRank()),
                    probability(row.signFlip()),
                    probability(row.adjusted())));
        }
        print(rows, 2, out);
        int leftOut =
                comparison.rows().stream().mapToInt(Comparison.Row::leftOut).sum();
        if (leftOut > 0) {
            out.println(leftOut + " pairs are left out because a score does not exist or is infinite");
        }
        if (!comparison.unpaired().isEmpty()) {
            out.println("without a partner: " + comparison.unpaired());
        }
    }

    /** Prints columns two blanks apart, the first ones to the left, numbers to the right. */
    private static void print(List<List<String>> rows, int texts, PrintWriter out) {
        int[] width = new int[rows.getFirst().size()];
        rows.forEach(row -> {
            for (int i = 0; i < width.length; i++) {
                width[i] = Math.max(width[i], row.get(i).length());
            }
        });
        for (List<String> row : rows) {
            StringBuilder line = new StringBuilder();
            for (int i = 0; i < width.length; i++) {
                String pad = " ".repeat(width[i] - row.get(i).length());
                line.append(i == 0 ? "" : "  ").append(i < texts ? row.get(i) + pad : pad + row.get(i));
            }
            out.println(line.toString().stripTrailing());
        }
    }

    private static String percent(Bootstrap bootstrap) {
        BigDecimal percent = BigDecimal.valueOf(bootstrap.level()).movePointRight(2);
        return percent.stripTrailingZeros().toPlainString() + " %";
    }

    private static String interval(Interval interval) {
        return Double.isNaN(interval.low()) ? "-" : "[" + number(interval.low()) + ", " + number(interval.high()) + "]";
    }

    private static String probability(double p) {
        return Double.isNaN(p) ? "-" : p < 1e-4 ? "<0.0001" : String.format(Locale.ROOT, "%.4f", p);
    }

    static String number(double value) {
        if (Double.isNaN(value)) {
            return "-";
        }
        double size = Math.abs(value);
        return String.format(Locale.ROOT, size < 10 ? "%.4f" : size < 1000 ? "%.2f" : "%.0f", value);
    }
}
