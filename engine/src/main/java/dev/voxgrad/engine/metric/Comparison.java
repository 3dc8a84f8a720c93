package dev.voxgrad.engine.metric;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/**
 * Two models on the same cases, metric by metric: the mean of the differences case by case, its interval, and how likely one as
 * large is if the models are alike.
 *
 * @param rows one per column and region, the regions of a column together
 * @param unpaired names of cases that only one of the two could be scored on
 */
public record Comparison(List<Row> rows, List<String> unpaired) {
    /**
     * One metric of one region. A case counts if both scores are finite.
     *
     * @param direction which values of the metric are better
     * @param pairs cases used
     * @param leftOut cases where a score does not exist or is infinite
     * @param first mean of the first model over the cases used; NaN without any
     * @param second mean of the second one
     * @param difference first - second
     * @param interval of the difference
     * @param signedRank p value of Wilcoxon's test
     * @param signFlip p value of the permutation test
     * @param adjusted the first p value, adjusted by Holm's method for all rows
     */
    public record Row(
            Region region,
            String column,
            Better direction,
            int pairs,
            int leftOut,
            double first,
            double second,
            double difference,
            Interval interval,
            double signedRank,
            double signFlip,
            double adjusted) {
        private Row withAdjusted(double p) {
            return new Row(
                    region,
                    column,
                    direction,
                    pairs,
                    leftOut,
                    first,
                    second,
                    difference,
                    interval,
                    signedRank,
                    signFlip,
                    p);
        }

        /**
         * The model whose mean is better, {@code first} or {@code other}, however small and unsure the difference; {@code -} where
         * there is none beyond rounding, and for metrics without a better side.
         */
        public String better() {
            double rounding = ROUNDING * Math.max(Math.abs(first), Math.abs(second));
            if (direction == Better.NEITHER || !(Math.abs(difference) > rounding)) {
                return "-";
            }
            return difference > 0 == (direction == Better.HIGHER) ? "first" : "other";
        }
    }

    /** Relative error of a mean of differences of scores, generously. */
    private static final double ROUNDING = 1e-12;

    /** Copies the lists. */
    public Comparison {
        rows = List.copyOf(rows);
        unpaired = List.copyOf(unpaired);
    }

    /**
     * Compares two summaries.
     *
     * @param columns to compare, in both of them, and which of their values are better
     */
    public static Comparison of(
            Summary first, Summary second, SequencedMap<String, Better> columns, Bootstrap bootstrap) {
        Map<String, CaseScore> others = new HashMap<>();
        second.cases().forEach(c -> others.put(c.files().id(), c));
        List<CaseScore[]> pairs = new ArrayList<>();
        List<String> unpaired = new ArrayList<>();
        for (CaseScore c : first.cases()) {
            CaseScore other = others.remove(c.files().id());
            if (other == null) {
                unpaired.add(c.files().id());
            } else {
                pairs.add(new CaseScore[] {c, other});
            }
        }
        unpaired.addAll(others.keySet().stream().sorted().toList());
        List<Row> rows = new ArrayList<>();
        columns.forEach((column, direction) ->
                first.regions().forEach(region -> rows.add(row(region, column, direction, pairs, bootstrap))));
        double[] adjusted =
                PairedTests.holm(rows.stream().mapToDouble(Row::signedRank).toArray());
        List<Row> complete = new ArrayList<>();
        for (int i = 0; i < adjusted.length; i++) {
            complete.add(rows.get(i).withAdjusted(adjusted[i]));
        }
        return new Comparison(complete, unpaired);
    }

    private static Row row(
            Region region, String column, Better direction, List<CaseScore[]> pairs, Bootstrap bootstrap) {
        double[] a = new double[pairs.size()];
        double[] b = new double[pairs.size()];
        double[] differences = new double[pairs.size()];
        int used = 0;
        for (CaseScore[] pair : pairs) {
            double x = pair[0].value(region, column);
            double y = pair[1].value(region, column);
            if (Double.isFinite(x) && Double.isFinite(y)) {
                a[used] = x;
                b[used] = y;
                differences[used++] = x - y;
            }
        }
        double[] d = Arrays.copyOf(differences, used);
        return new Row(
                region,
                column,
                direction,
                used,
                pairs.size() - used,
                Statistics.mean(Arrays.copyOf(a, used)),
                Statistics.mean(Arrays.copyOf(b, used)),
                Statistics.mean(d),
                bootstrap.ofMean(d),
                PairedTests.signedRank(d),
                PairedTests.signFlip(d, Math.max(bootstrap.samples(), 10_000), bootstrap.seed()),
                Double.NaN);
    }
}
