package dev.voxgrad.bench;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * One row: a problem in one direction, by us and by one peer in its fastest setting. Numbers that were not measured are NaN.
 *
 * @param oursMs median milliseconds
 * @param oursMb growth of the resident memory, see {@link ResidentMemory}
 * @param peer name; empty when no peer can do this
 * @param peerSetting the fastest setting, or why there is no number
 * @param rounds turns of the peer, or ours without one; 0 when nothing was timed
 * @param maxDiff largest difference of the two answers, relative to the largest magnitude of each tensor
 * @param error why the row is not what was asked for; empty when all is well
 */
record Result(
        Problem problem,
        Direction direction,
        double oursMs,
        double oursMb,
        String peer,
        String peerSetting,
        double peerMs,
        double peerMb,
        int rounds,
        double maxDiff,
        String error) {

    /** A row without a peer, with the reason. */
    static Result alone(Opened ours, Pairing.Times times, String why) {
        double none = Double.NaN;
        return new Result(
                ours.problem(),
                ours.direction(),
                times.median(),
                ours.mb(),
                "",
                why,
                none,
                none,
                times.rounds(),
                none,
                "");
    }

    /** A row with a peer in its fastest setting. */
    static Result against(Opened ours, Pairing.Times times, Opened peer, Pairing.Times peerTimes, double maxDiff) {
        return new Result(
                ours.problem(),
                ours.direction(),
                times.median(),
                ours.mb(),
                peer.side().name(),
                peer.setting(),
                peerTimes.median(),
                peer.mb(),
                peerTimes.rounds(),
                maxDiff,
                "");
    }

    /** A row without numbers. */
    static Result failed(Problem problem, Direction direction, String peer, String setting, String error) {
        double none = Double.NaN;
        return new Result(problem, direction, none, none, peer, setting, none, none, 0, none, error);
    }

    double gflops() {
        return positive(problem.flops(direction)) / oursMs / 1e6;
    }

    double percentOfPeak(Machine machine) {
        return 100 * gflops() / machine.fmaGflops();
    }

    /** Milliseconds that the bytes that must move take at the copy bandwidth of this machine. */
    double floorMs(Machine machine) {
        return positive(problem.bytes(direction)) / machine.copyGbps() / 1e6;
    }

    double percentOfBandwidth(Machine machine) {
        return 100 * floorMs(machine) / oursMs;
    }

    /** Peer's time over ours. */
    double ratio() {
        return peerMs / oursMs;
    }

    private static double positive(double value) {
        return value > 0 ? value : Double.NaN;
    }

    /** The JSON line. */
    Map<String, Object> json(Machine machine) {
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("problem", problem.name());
        line.put("direction", direction.toString());
        line.put("device", "cpu");
        line.put("threads", machine.device().threads());
        put(line, "ours_ms", oursMs);
        line.put("peer", peer);
        line.put("peer_setting", peerSetting);
        put(line, "peer_ms", peerMs);
        put(line, "ratio", ratio());
        line.put("rounds", rounds);
        put(line, "max_diff", maxDiff);
        put(line, "gflops", gflops());
        put(line, "percent_of_peak", percentOfPeak(machine));
        put(line, "percent_of_bandwidth", percentOfBandwidth(machine));
        put(line, "floor_ms", floorMs(machine));
        put(line, "over_floor", oursMs / floorMs(machine));
        put(line, "rss_mb", oursMb);
        put(line, "peer_rss_mb", peerMb);
        if (!error.isEmpty()) {
            line.put("error", error);
        }
        return line;
    }

    /** Four significant digits; null when not measured. */
    private static void put(Map<String, Object> line, String key, double value) {
        line.put(key, Double.isFinite(value) ? Double.valueOf("%.4g".formatted(value)) : null);
    }
}
