package dev.voxgrad.cli;

import java.time.Duration;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/** A bar on standard error with rate and time left; silent when that is not a terminal. */
final class Progress implements AutoCloseable {
    /** Set by the launcher: columns of the terminal on standard error, 0 if it is none. */
    private static final int COLUMNS = Integer.getInteger("voxgrad.columns", 0);

    private final ProgressBar bar;

    private Progress(ProgressBar bar) {
        this.bar = bar;
    }

    /**
     * Starts a bar.
     *
     * @param unit of the steps, for the rate
     */
    static Progress start(String task, long steps, String unit) {
        if (COLUMNS == 0) {
            return new Progress(null);
        }
        return new Progress(new ProgressBarBuilder()
                .setTaskName(task)
                .setInitialMax(steps)
                .setUnit(" " + unit, 1)
                .showSpeed()
                .setStyle(ProgressBarStyle.UNICODE_BLOCK)
                .setUpdateIntervalMillis((int) Duration.ofMillis(250).toMillis())
                .setMaxRenderedLength(COLUMNS - 1)
                .setConsumer(new ConsoleProgressBarConsumer(System.err, COLUMNS - 1))
                .build());
    }

    /** Sets the number of steps done. */
    void to(long steps) {
        if (bar != null) {
            bar.stepTo(steps);
        }
    }

    /** One step more. */
    void step() {
        if (bar != null) {
            bar.step();
        }
    }

    /** Text behind the bar. */
    void note(String text) {
        if (bar != null) {
            bar.setExtraMessage(" " + text);
        }
    }

    @Override
    public void close() {
        if (bar != null) {
            bar.close();
        }
    }
}
