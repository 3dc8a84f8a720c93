package dev.voxgrad.cli;

import dev.voxgrad.engine.tensor.Device;
import dev.voxgrad.engine.train.ModelFolder;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code voxgrad resume}: continues a training that was stopped. */
@Command(
        name = "resume",
        description = {
            "Continues a training that was stopped or killed, from its last checkpoint.",
            "The finished model has the same bytes as one that was never stopped; its --precision is kept."
        },
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        footerHeading = "%nExample:%n",
        footer = "  voxgrad resume model")
final class ResumeCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private DeviceOptions device;

    @Parameters(paramLabel = "MODEL", description = "Folder of the model.")
    private Path model;

    @Override
    public Integer call() throws Exception {
        new ModelFolder(model).require();
        RunFile run = RunFile.read(model);
        try (Device opened = device.open(run.precision())) {
            new TrainingJob(spec.commandLine().getOut(), model).resume(run, opened);
        }
        spec.commandLine().getOut().println("model: " + model + " (finished)");
        return ExitCode.OK;
    }
}
