package dev.voxgrad.bench;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;

/** Times several runs in turn, A B C A B C ..., so that whatever disturbs the machine disturbs all of them. */
final class Pairing {
    /** A turn repeats its run for so long: far above the cost of a switch, far below what a machine stays quiet for. */
    private static final double TURN_MS = 50;

    /** Between turns: threads of a peer's pool spin for some milliseconds after their work. */
    private static final long PAUSE_MS = 20;

    private Pairing() {}

    /**
     * How long to measure.
     *
     * @param seconds for all sides together
     * @param rounds at least, whatever they take
     */
    record Limit(double seconds, int rounds) {}

    /**
     * What was timed of one side.
     *
     * @param median milliseconds of a run
     * @param rounds turns that it had
     */
    record Times(double median, int rounds) {}

    /**
     * Times rounds: those that the limit asks for, then more while another one fits. A side whose first run counts takes no turn, unless
     * that is so for all: then these runs are the first round, and more follow only while they fit.
     *
     * @return one for each side
     */
    static List<Times> times(List<Opened> sides, Limit limit) {
        List<List<Double>> samples = new ArrayList<>();
        sides.forEach(side ->
                samples.add(new ArrayList<>(side.first().stream().boxed().toList())));
        boolean begun = samples.stream().noneMatch(List::isEmpty);
        List<Integer> inTurn = IntStream.range(0, sides.size())
                .filter(i -> begun || samples.get(i).isEmpty())
                .boxed()
                .toList();
        int rounds = begun ? 1 : 0;
        double round = begun ? samples.stream().mapToDouble(List::getFirst).sum() : 0;
        double spent = round;
        while (rounds < (begun ? 1 : limit.rounds) || spent + round <= 1e3 * limit.seconds) {
            long start = System.nanoTime();
            for (int i : inTurn) {
                turn(sides.get(i).run(), samples.get(i), Math.min(TURN_MS, 1e3 * limit.seconds));
            }
            round = millisecondsSince(start);
            spent += round;
            rounds++;
        }
        List<Times> times = new ArrayList<>();
        for (int i = 0; i < sides.size(); i++) {
            times.add(new Times(median(samples.get(i)), inTurn.contains(i) ? rounds : 1));
        }
        return times;
    }

    /** Milliseconds of one run after a pause. */
    static double alone(Side.Run run) {
        try {
            Thread.sleep(PAUSE_MS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while measuring", e);
        }
        return run.milliseconds();
    }

    private static void turn(Side.Run run, List<Double> samples, double turnMs) {
        long start = System.nanoTime();
        samples.add(alone(run));
        while (millisecondsSince(start) < PAUSE_MS + turnMs) {
            samples.add(run.milliseconds());
        }
    }

    private static double millisecondsSince(long start) {
        return (System.nanoTime() - start) / 1e6;
    }

    static double median(List<Double> values) {
        List<Double> sorted = new ArrayList<>(values);
        Collections.sort(sorted);
        int half = sorted.size() / 2;
        return sorted.size() % 2 == 1 ? sorted.get(half) : (sorted.get(half - 1) + sorted.get(half)) / 2;
    }
}
