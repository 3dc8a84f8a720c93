package dev.voxgrad.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code voxgrad profile}: where the time goes. */
@Command(
        name = "profile",
        description = {
            "Measures where the time of a training or a prediction goes: every kernel with its layer and direction,",
            "its operations and bytes per second beside what this machine can do, and all time outside of kernels.",
            "Prints a table; writes a page with a roofline plot. docs/profiling.md says how to read it."
        },
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        synopsisSubcommandLabel = "COMMAND",
        footerHeading = "%nExample:%n",
        footer = "  voxgrad profile train --preset unet64 --steps 10",
        subcommands = {ProfileTrainCommand.class, ProfilePredictCommand.class})
final class ProfileCommand implements Runnable {
    @Spec
    private CommandSpec spec;

    @Override
    public void run() {
        spec.commandLine().usage(spec.commandLine().getOut());
    }
}
