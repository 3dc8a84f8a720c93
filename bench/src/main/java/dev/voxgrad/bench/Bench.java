package dev.voxgrad.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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

    private static final int ROUNDS = 3;

    /** At most; one round of a sample says, to some percent, which setting is the fastest and how long the whole takes. */
    private static final double SAMPLE_SECONDS = 5;

    private final Side ours = new Ours();
    private final List<Side> peers = new ArrayList<>(List.of(new Jdk()));
    private final List<String> missing = new ArrayList<>();
    private final Pairing.Limit limit;
    private final Pairing.Limit sampleLimit;
    private final double minutes;

    /**
     * Finds the peers.
     *
     * @param threads of every side
     * @param seconds for each problem and direction, all sides together
     * @param minutes that one round of a problem with a sample may take
     */
    Bench(int threads, double seconds, double minutes) {
        limit = new Pairing.Limit(seconds, ROUNDS);
        sampleLimit = new Pairing.Limit(Math.min(seconds, SAMPLE_SECONDS), 1);
        this.minutes = minutes;
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
        Optional<Problem> sample = problem.sample();
        if (sample.isEmpty()) {
            return inAllSettings(problem, direction, limit);
        }
        return inAllSettings(sample.get(), direction, sampleLimit).stream()
                .map(found -> whole(problem, found))
                .toList();
    }

    private List<Result> inAllSettings(Problem problem, Direction direction, Pairing.Limit limit) {
        List<Result> results = new ArrayList<>();
        try (Opened mine = open(problem, direction)) {
            for (Side peer : peers) {
                List<String> settings = peer.settings(problem, direction);
                if (!settings.isEmpty()) {
                    results.add(against(peer, settings, mine, limit));
                }
            }
            if (results.isEmpty()) {
                String none = missing.isEmpty() ? "no peer does this" : "none; " + String.join("; ", missing);
                results.add(alone(mine, none, limit));
            }
        } catch (RuntimeException e) {
            results.add(Result.failed(problem, direction, "", "", firstLine(e)));
        }
        return results;
    }

    /** The whole of a problem beside the peer, in the setting, that was found on its sample. */
    private Result whole(Problem problem, Result found) {
        Direction direction = found.direction();
        String error = found.error().isEmpty() ? tooLong(problem, found) : found.error();
        if (!error.isEmpty()) {
            return Result.failed(problem, direction, found.peer(), found.peerSetting(), error);
        }
        try (Opened mine = open(problem, direction)) {
            Optional<Side> peer =
                    peers.stream().filter(p -> p.name().equals(found.peer())).findFirst();
            return peer.isPresent()
                    ? against(peer.get(), List.of(found.peerSetting()), mine, limit)
                    : alone(mine, found.peerSetting(), limit);
        } catch (RuntimeException e) {
            return Result.failed(problem, direction, found.peer(), found.peerSetting(), firstLine(e));
        }
    }

    /** Why the whole cannot be measured in the time given; empty if it can. */
    private String tooLong(Problem problem, Result found) {
        double scale = problem.flops(found.direction()) / found.problem().flops(found.direction()) / 1e3;
        double oursSeconds = scale * found.oursMs();
        double peerSeconds = found.peer().isEmpty() ? 0 : scale * found.peerMs();
        if (oursSeconds + peerSeconds <= 60 * minutes) {
            return "";
        }
        String peer = found.peer().isEmpty() ? "" : ", " + found.peer() + " " + TimeLeft.text(peerSeconds);
        return "one round would take longer than --minutes %s: voxgrad %s%s, estimated from a sample"
                .formatted(minutes, TimeLeft.text(oursSeconds), peer);
    }

    private Opened open(Problem problem, Direction direction) {
        return Opened.of(
                ours, problem, direction, ours.settings(problem, direction).getFirst());
    }

    private static Result alone(Opened mine, String why, Pairing.Limit limit) {
        return Result.alone(mine, Pairing.times(List.of(mine), limit).getFirst(), why);
    }

    private static Result against(Side peer, List<String> settings, Opened mine, Pairing.Limit limit) {
        List<Opened> all = new ArrayList<>(List.of(mine));
        double difference = 0;
        try {
            for (String setting : settings) {
                Opened opened = Opened.of(peer, mine.problem(), mine.direction(), setting);
                all.add(opened);
                Difference found = Difference.of(mine.answer(), opened.answer());
                difference = Math.max(difference, found.value());
                if (!(found.value() <= mine.problem().tolerance())) {
                    String error = "answers differ (" + setting + "): " + found;
                    return Result.failed(mine.problem(), mine.direction(), peer.name(), setting, error);
                }
            }
            List<Pairing.Times> times = Pairing.times(all, limit);
            int best = 1;
            for (int i = 2; i < all.size(); i++) {
                best = times.get(i).median() < times.get(best).median() ? i : best;
            }
            return Result.against(mine, times.getFirst(), all.get(best), times.get(best), difference);
        } finally {
            all.stream().skip(1).forEach(Opened::close);
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
