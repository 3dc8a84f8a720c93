package dev.voxgrad.bench;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** Measures problems: our answer is compared with the peer's first, then both are timed in turn. */
final class Bench {
    /** Peers that a full build on a machine with everything installed has, each with how to get it. */
    private static final Map<String, String> EXPECTED = new TreeMap<>(Map.of(
            "pytorch", "mvn -Ppeers -DskipTests package",
            "onnxruntime", "mvn -Ppeers -DskipTests package",
            "onednn", "mvn -Ppeers -DskipTests package, apt install libdnnl2"));

    /** Runs before any is timed, fewer where one takes seconds; memory is measured in them. */
    private static final int WARM_UP = 3;

    private static final double WARM_UP_MS = 2000;

    /** A run that takes longer is timed once, while or directly after it gives the answer, and not in turn with the others. */
    private static final double ONCE_MS = 20_000;

    /** What is ready to be timed; {@code milliseconds} of its last run so far. */
    private record Opened(
            Side side, String setting, Side.Run run, Map<String, float[]> answer, double mb, double milliseconds)
            implements AutoCloseable {
        boolean timedOnce() {
            return milliseconds > ONCE_MS;
        }

        @Override
        public void close() {
            run.close();
        }
    }

    private final Side ours = new Ours();
    private final List<Side> peers = new ArrayList<>(List.of(new Jdk()));
    private final List<String> missing = new ArrayList<>();
    private final double seconds;

    /**
     * Finds the peers.
     *
     * @param threads of every side
     * @param seconds for each problem and direction, all sides together
     */
    Bench(int threads, double seconds) {
        this.seconds = seconds;
        List<String> failures = new ArrayList<>();
        for (ServiceLoader.Provider<Side> provider :
                ServiceLoader.load(Side.class).stream().toList()) {
            try {
                peers.add(provider.get());
            } catch (ServiceConfigurationError | LinkageError e) {
                failures.add(provider.type().getSimpleName() + ": " + rootCause(e));
            }
        }
        String reason = failures.isEmpty() ? "not built" : "not usable (" + String.join("; ", failures) + ")";
        EXPECTED.forEach((name, how) -> {
            if (peers.stream().noneMatch(peer -> peer.name().equals(name))) {
                missing.add(name + ": missing, " + reason + "; " + how);
            }
        });
        ours.threads(threads);
        peers.forEach(peer -> peer.threads(threads));
    }

    /** Peers that are not there, each with the reason. */
    List<String> missing() {
        return List.copyOf(missing);
    }

    /** Names and versions of all sides. */
    String versions() {
        return ours.version() + peers.stream().map(p -> ", " + p.version()).collect(Collectors.joining());
    }

    /** One row for each peer; one without a peer when there is none. */
    List<Result> run(Problem problem, Direction direction) {
        List<Result> results = new ArrayList<>();
        try (Opened mine =
                open(ours, problem, direction, ours.settings(problem, direction).getFirst())) {
            for (Side peer : peers) {
                if (!peer.settings(problem, direction).isEmpty()) {
                    results.add(against(peer, mine, problem, direction));
                }
            }
            if (results.isEmpty()) {
                String none = missing.isEmpty() ? "no peer does this" : "none; " + String.join("; ", missing);
                double ms = medians(List.of(mine)).getFirst();
                results.add(new Result(
                        problem, direction, ms, mine.mb(), "", none, Double.NaN, Double.NaN, Double.NaN, ""));
            }
        } catch (RuntimeException e) {
            results.add(Result.failed(problem, direction, firstLine(e)));
        }
        return results;
    }

    private Result against(Side peer, Opened mine, Problem problem, Direction direction) {
        List<Opened> theirs = new ArrayList<>();
        String error = "";
        double difference = 0;
        try {
            for (String setting : peer.settings(problem, direction)) {
                Opened opened = open(peer, problem, direction, setting);
                theirs.add(opened);
                Difference found = Difference.of(mine.answer(), opened.answer());
                difference = Math.max(difference, found.value());
                if (!(found.value() <= problem.tolerance())) {
                    error = "answers differ (" + setting + "): " + found;
                    return new Result(
                            problem,
                            direction,
                            Double.NaN,
                            mine.mb(),
                            peer.name(),
                            setting,
                            Double.NaN,
                            Double.NaN,
                            difference,
                            error);
                }
            }
            List<Opened> all = new ArrayList<>(List.of(mine));
            all.addAll(theirs);
            List<Double> medians = medians(all);
            int best = 1;
            for (int i = 2; i < medians.size(); i++) {
                best = medians.get(i) < medians.get(best) ? i : best;
            }
            Opened fastest = theirs.get(best - 1);
            return new Result(
                    problem,
                    direction,
                    medians.getFirst(),
                    mine.mb(),
                    peer.name(),
                    fastest.setting(),
                    medians.get(best),
                    fastest.mb(),
                    difference,
                    error);
        } finally {
            theirs.forEach(Opened::close);
        }
    }

    /** Median milliseconds of each; those of a long run come from its warm-up. */
    private List<Double> medians(List<Opened> all) {
        List<Opened> inTurn = all.stream().filter(o -> !o.timedOnce()).toList();
        Iterator<Double> timed = Pairing.medians(
                        inTurn.stream().map(Opened::run).toList(), seconds)
                .iterator();
        return all.stream()
                .map(o -> o.timedOnce() ? o.milliseconds() : timed.next())
                .toList();
    }

    private static Opened open(Side side, Problem problem, Direction direction, String setting) {
        double before = ResidentMemory.currentMb();
        Side.Run run = side.open(problem, direction, setting);
        try {
            ResidentMemory.resetPeak();
            long start = System.nanoTime();
            Map<String, float[]> answer = run.answer();
            double answered = (System.nanoTime() - start) / 1e6;
            if (problem.answersAreWork() && answered > ONCE_MS) {
                return new Opened(side, setting, run, answer, ResidentMemory.peakMb() - before, answered);
            }
            ResidentMemory.resetPeak();
            double spent = 0;
            double last = 0;
            for (int i = 0; i < WARM_UP && spent < WARM_UP_MS; i++) {
                last = run.milliseconds();
                spent += last;
            }
            return new Opened(side, setting, run, answer, ResidentMemory.peakMb() - before, last);
        } catch (RuntimeException e) {
            run.close();
            throw e;
        }
    }

    private static String rootCause(Throwable e) {
        Throwable cause = e;
        while (cause.getCause() != null) {
            cause = cause.getCause();
        }
        return String.valueOf(cause);
    }

    private static String firstLine(RuntimeException e) {
        return String.valueOf(e.getMessage()).lines().findFirst().orElse(e.toString());
    }
}
