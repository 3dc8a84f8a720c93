package dev.voxgrad.cli;

import dev.voxgrad.engine.tensor.Precision;
import picocli.CommandLine.Option;

/** How exact the convolutions of a command are. */
final class PrecisionOption {
    @Option(
            names = "--precision",
            paramLabel = "WORD",
            defaultValue = "default",
            description = "default: as exact as a direct sum; fast: larger Winograd tiles where they are faster, with a"
                    + " relative error of some 1e-6 (default: ${DEFAULT-VALUE}).")
    private Precision precision;

    Precision precision() {
        return precision;
    }
}
