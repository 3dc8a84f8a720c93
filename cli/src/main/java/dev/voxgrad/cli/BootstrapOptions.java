package dev.voxgrad.cli;

import dev.voxgrad.engine.metric.Bootstrap;
import picocli.CommandLine.Option;

/** How {@code evaluate} finds confidence intervals. */
final class BootstrapOptions {
    @Option(
            names = "--bootstrap",
            paramLabel = "N",
            defaultValue = "2000",
            description = "Draws of the cases for confidence intervals, at least 100. Default: ${DEFAULT-VALUE}.")
    private int draws;

    @Option(
            names = "--interval",
            paramLabel = "METHOD",
            defaultValue = "bca",
            description = "How intervals are read off the draws: bca (bias corrected and accelerated) or percentile."
                    + " Default: ${DEFAULT-VALUE}.")
    private Bootstrap.Method interval;

    @Option(
            names = "--level",
            paramLabel = "SHARE",
            defaultValue = "0.95",
            description = "Level of confidence intervals, at most 0.9999. Default: ${DEFAULT-VALUE}.")
    private double level;

    @Option(names = "--seed", paramLabel = "N", defaultValue = "1234", description = "Seed. Default: ${DEFAULT-VALUE}.")
    private long seed;

    /**
     * The draws.
     *
     * @throws dev.voxgrad.engine.ConfigException when an option is out of its range
     */
    Bootstrap bootstrap() {
        return new Bootstrap(draws, level, seed, interval);
    }
}
