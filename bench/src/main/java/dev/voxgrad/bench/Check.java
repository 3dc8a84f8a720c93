package dev.voxgrad.bench;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A limit that measured rows are held against. It is printed below the tables and does not change the exit status: on a busy machine a
 * limit can be missed by code that is as fast as ever.
 *
 * @param name what is measured, in which unit
 * @param measured NaN when a row failed
 * @param limit the largest value that meets it
 */
record Check(String name, double measured, double limit) {
    /** Names of rows in {@code bench/problems/loss.csv}. */
    static final String DICE_CE = "loss dice + ce 3D";

    static final String BLOB = "loss blob 1 3D";
    static final String BLOBS = "loss blob 1000 3D";

    private static final double FLOORS = 3;
    private static final double TIMES_ONE_BLOB = 2;

    /** The limits whose rows are among the results. */
    static List<Check> of(List<Result> results, Machine machine) {
        List<Check> checks = new ArrayList<>();
        find(results, DICE_CE)
                .ifPresent(r ->
                        checks.add(new Check(DICE_CE + ": time by floor", r.oursMs() / r.floorMs(machine), FLOORS)));
        find(results, BLOB)
                .flatMap(one -> find(results, BLOBS).map(many -> many.oursMs() / one.oursMs()))
                .ifPresent(times -> checks.add(new Check(BLOBS + ": time by that of " + BLOB, times, TIMES_ONE_BLOB)));
        return checks;
    }

    private static Optional<Result> find(List<Result> results, String problem) {
        return results.stream().filter(r -> r.problem().name().equals(problem)).findFirst();
    }

    boolean met() {
        return measured <= limit;
    }

    String verdict() {
        return Double.isNaN(measured) ? "not measured" : met() ? "met" : "missed";
    }

    /** The JSON line. */
    Map<String, Object> json() {
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("limit", name);
        line.put("measured", Double.isNaN(measured) ? null : Double.valueOf("%.4g".formatted(measured)));
        line.put("at_most", limit);
        line.put("verdict", verdict());
        return line;
    }
}
