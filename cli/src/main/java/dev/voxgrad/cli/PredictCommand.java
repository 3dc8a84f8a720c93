package dev.voxgrad.cli;

import dev.voxgrad.engine.DataException;
import dev.voxgrad.engine.OutputFolder;
import dev.voxgrad.engine.infer.Uncertainty;
import dev.voxgrad.engine.plan.Case;
import dev.voxgrad.engine.tensor.Device;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
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
    private JsonOption json;

    @Option(
            names = {"-m", "--model"},
            required = true,
            paramLabel = "MODEL",
            description = "Folder of a trained model.")
    private Path model;

    @Option(
            names = {"-i", "--input"},
            required = true,
            paramLabel = "PATH",
            description = "Folder of images, or one image file of a model with one channel.")
    private Path input;

    @Option(
            names = {"-o", "--output"},
            required = true,
            paramLabel = "FOLDER",
            description = "Folder of the masks.")
    private Path output;

    @Option(
            names = "--ending",
            defaultValue = ".nii.gz",
            description = "Ending of images and masks. Default: ${DEFAULT-VALUE}.")
    private String ending;

    @Option(
            names = "--step",
            defaultValue = "0.5",
            description = "Distance of two tiles in tiles, above 0 to 1. Default: ${DEFAULT-VALUE}.")
    private double step;

    @Option(
            names = "--no-mirror",
            description = "Do not average over mirrored passes: up to eight times faster, slightly less exact.")
    private boolean noMirror;

    @Option(names = "--no-gaussian", description = "Weigh all voxels of a tile alike.")
    private boolean noGaussian;

    @Option(
            names = "--uncertainty",
            paramLabel = "KIND",
            description = {
                "Also write CASE_uncertainty.nii.gz, numbers from 0 to 1: margin (1 at p = 1/2), entropy, or complement",
                "(1 - p, so 1 in certain background)."
            })
    private Optional<Uncertainty> uncertainty = Optional.empty();

    @Option(
            names = "--probabilities",
            description =
                    "Also write CASE.safetensors, a tensor [class, z, y, x], as evaluate --probabilities reads it.")
    private boolean probabilities;

    @Override
    public Integer call() throws Exception {
        if (!(step > 0 && step <= 1)) {
            throw new picocli.CommandLine.ParameterException(
                    spec.commandLine(), "--step is " + step + "; use a number above 0, up to 1");
        }
        List<Case> cases = Files.isRegularFile(input) ? List.of(single()) : Case.scan(input, ending);
        Path images = Files.isDirectory(input) ? input : input.toAbsolutePath().getParent();
        if (Files.isDirectory(output) && Files.isSameFile(output, images)) {
            throw new DataException(output + " is the input folder; masks must go to another one");
        }
        OutputFolder.requireUsable(output);
        List<PredictionJob.Result> results;
        try (Device opened = device.open()) {
            PredictionJob.Settings settings =
                    new PredictionJob.Settings(step, !noGaussian, !noMirror, uncertainty, probabilities);
            results = PredictionJob.run(model, cases, output, ending, settings, opened);
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

    private Case single() {
        String name = input.getFileName().toString();
        if (!name.endsWith(ending)) {
            throw new DataException(input + " does not end in " + ending + "; give another --ending");
        }
        String id = name.substring(0, name.length() - ending.length()).replaceFirst("_0000$", "");
        return new Case(id, List.of(input), Optional.empty());
    }
}
