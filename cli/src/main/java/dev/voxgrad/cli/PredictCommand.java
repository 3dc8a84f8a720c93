package dev.voxgrad.cli;

import dev.voxgrad.engine.DataException;
import dev.voxgrad.engine.OutputFolder;
import dev.voxgrad.engine.plan.Case;
import dev.voxgrad.engine.tensor.Device;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code voxgrad predict}: segments volumes. */
@Command(
        name = "predict",
        description = {
            "Segments volumes with a trained model. A folder holds images CASE_0000.nii.gz, one file per channel;",
            "the mask of a case becomes CASE.nii.gz in the output folder, in the geometry of its image.",
            "A case that fails is reported and does not stop the others."
        },
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        footerHeading = "%nExample:%n",
        footer = "  voxgrad predict -m model -i imagesTs -o predictions")
final class PredictCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private DeviceOptions device;

    @Mixin
    private PrecisionOption precision;

    @Mixin
    private JsonOption json;

    @Mixin
    private PredictionOptions prediction;

    @Option(
            names = {"-o", "--output"},
            required = true,
            paramLabel = "FOLDER",
            description = "Folder of the masks.")
    private Path output;

    @Override
    public Integer call() throws Exception {
        List<Case> cases = prediction.cases();
        Path images = prediction.images();
        if (Files.isDirectory(output) && Files.isSameFile(output, images)) {
            throw new DataException(output + " is the input folder; masks must go to another one");
        }
        OutputFolder.requireUsable(output);
        List<PredictionJob.Result> results;
        try (Device opened = device.open(precision.precision())) {
            results = PredictionJob.run(
                    prediction.model(),
                    cases,
                    output,
                    prediction.ending(),
                    prediction.settings(),
                    opened,
                    (done, total) -> {});
        }
        List<PredictionJob.Result> failed =
                results.stream().filter(r -> r.error() != null).toList();
        PrintWriter out = spec.commandLine().getOut();
        if (json.isSet()) {
            json.print(out, results);
        } else {
            results.stream()
                    .filter(r -> r.error() == null)
                    .forEach(r -> out.printf("%s  %.1f s%n", r.output(), r.seconds()));
        }
        failed.forEach(r -> spec.commandLine().getErr().println("voxgrad: case " + r.id() + " failed: " + r.error()));
        if (failed.size() > 1) {
            spec.commandLine()
                    .getErr()
                    .println("voxgrad: " + failed.size() + " of " + results.size() + " cases failed");
        }
        // A defect or a lack of memory outweighs bad input.
        return failed.stream().anyMatch(r -> r.exitCode() == ExitCode.FAILURE)
                ? ExitCode.FAILURE
                : failed.isEmpty() ? ExitCode.OK : ExitCode.BAD_INPUT;
    }
}
