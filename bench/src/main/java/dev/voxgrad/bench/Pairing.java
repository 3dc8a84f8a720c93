package dev.voxgrad.bench;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** Times several runs in turn, A B C A B C ..., so that whatever disturbs the machine disturbs all of them. */
final class Pairing {
    /** A turn repeats its run for so long: far above the cost of a switch, far below what a machine stays quiet for. */
    private static final double TURN_MS = 50;

    private static final int ROUNDS_MIN = 3;

    /** Between turns: threads of a peer's pool spin for some milliseconds after their work. */
    private static final long PAUSE_MS = 20;

    private Pairing() {}

    /**
     * Median milliseconds of each run; of no runs, none.
     *
     * @param seconds for all runs together; at least three rounds
     */
    static List<Double> medians(List<Side.Run> runs, double seconds) {
        List<List<Double>> samples = new ArrayList<>();
        runs.forEach(run -> samples.add(new ArrayList<>()));
        long end = System.nanoTime() + (long) (seconds * 1e9);
        for (int round = 0; !runs.isEmpty() && (round < ROUNDS_MIN || System.nanoTime() < end); round++) {
            for (int i = 0; i < runs.size(); i++) {
                pause();
                long turn = System.nanoTime() + (long) (Math.min(TURN_MS, 1e3 * seconds) * 1e6);
                do {
                    samples.get(i).add(runs.get(i).milliseconds());
                } while (System.nanoTime() < turn);
            }
        }
        return samples.stream().map(Pairing::median).toList();
    }

    static double median(List<Double> values) {
        List<Double> sorted = new ArrayList<>(values);
        Collections.sort(sorted);
        int half = sorted.size() / 2;
        return sorted.size() % 2 == 1 ? sorted.get(half) : (sorted.get(half - 1) + sorted.get(half)) / 2;
    }

    private static void pause() {
        try {
            Thread.sleep(PAUSE_MS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while measuring", e);
        }
    }
}
