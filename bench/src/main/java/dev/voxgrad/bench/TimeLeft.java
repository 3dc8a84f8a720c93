package dev.voxgrad.bench;

import dev.voxgrad.engine.infer.SlidingWindow;
import java.io.PrintStream;

/** Says how long a volume still takes: after two seconds, then every ten. Whole lines and no thread: nothing runs beside what is timed. */
final class TimeLeft implements SlidingWindow.Progress {
    private static final double FIRST_S = 2;
    private static final double EVERY_S = 10;

    private final String name;
    private final PrintStream out;
    private final long start = System.nanoTime();
    private double next = FIRST_S;

    TimeLeft(String name, PrintStream out) {
        this.name = name;
        this.out = out;
    }

    @Override
    public void tiles(int done, int total) {
        tiles(done, total, (System.nanoTime() - start) / 1e9);
    }

    /** With the seconds since the start. */
    void tiles(int done, int total, double seconds) {
        if (seconds >= next && done < total) {
            next = seconds + EVERY_S;
            out.println(
                    name + ": " + done + " of " + total + " tiles, " + text(seconds / done * (total - done)) + " left");
        }
    }

    /** Seconds for people: "45 s", "12 min". */
    static String text(double seconds) {
        return seconds < 100 ? "%.0f s".formatted(seconds) : "%.0f min".formatted(seconds / 60);
    }
}
