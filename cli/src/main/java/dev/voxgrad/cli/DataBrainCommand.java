package dev.voxgrad.cli;

import dev.voxgrad.cli.data.BrainDataset;
import dev.voxgrad.cli.data.DebianPackage;
import java.io.PrintWriter;
import java.nio.file.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code voxgrad data brain}: the two hemispheres of a real brain MR as training and test case. */
@Command(
        name = "brain",
        description = {
            "Writes a data set of one brain MR: one hemisphere for training, the other for the test.",
            "The scan (Colin27 with the AAL atlas) comes from the Debian package mricron-data, without root. Where that"
                    + " cannot be had, a drawn phantom takes its place, and the command says so."
        },
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        footerHeading = "%nExample:%n",
        footer = "  voxgrad data brain --output data --spacing 2")
final class DataBrainCommand implements Runnable {
    @Spec
    private CommandSpec spec;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "FOLDER",
            defaultValue = ".",
            description = "Gets the folder " + BrainDataset.NAME + " (default: the current folder).")
    private Path output;

    @Option(
            names = "--spacing",
            paramLabel = "MM",
            defaultValue = "3",
            description = "Edge of a voxel: 1, 2 or 3 mm (default: ${DEFAULT-VALUE}).")
    private int spacing;

    @Option(names = "--phantom", description = "Draw the phantom, even where the scan is at hand.")
    private boolean phantom;

    @Mixin
    private JsonOption json;

    @Override
    public void run() {
        if (spacing < 1 || spacing > 3) {
            throw new ParameterException(spec.commandLine(), "--spacing must be 1, 2 or 3, not " + spacing);
        }
        PrintWriter out = spec.commandLine().getOut();
        PrintWriter err = spec.commandLine().getErr();
        BrainDataset made = BrainDataset.write(
                output.toAbsolutePath().normalize(),
                spacing,
                phantom,
                DebianPackage.apt(),
                line -> err.println("voxgrad: " + line));
        if (json.isSet()) {
            json.print(out, made);
        } else {
            out.println("Wrote " + made.folder() + ": " + made.source());
        }
    }
}
