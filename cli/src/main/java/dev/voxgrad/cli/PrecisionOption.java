package dev.voxgrad.cli;

import dev.voxgrad.engine.tensor.Precision;
import picocli.CommandLine.Option;

/** How exact the convolutions of a command are. */
final class PrecisionOption {
    @Option(
            names = "--precision",
            paramLabel = "WORD",
            defaultValue = "default",
            description = "default: relative error of a convolution below 1e-6; fast: larger Winograd tiles where they"
                    + " are faster, 1e-6 to 4e-6 (default: ${DEFAULT-VALUE}).")
    private Precision precision;

    Precision precision() {
        return precision;
    }
}
