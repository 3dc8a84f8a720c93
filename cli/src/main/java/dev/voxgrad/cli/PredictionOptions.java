package dev.voxgrad.cli;

import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.DataException;
import dev.voxgrad.engine.infer.TestNoise;
import dev.voxgrad.engine.infer.Uncertainty;
import dev.voxgrad.engine.plan.Case;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.Spec.Target;

/** What a prediction reads and how it covers a volume. */
final class PredictionOptions {
    @Spec(Target.MIXEE)
    private CommandSpec command;

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
            names = "--ending",
            defaultValue = ".nii.gz",
            description = "Ending of images and masks. Default: ${DEFAULT-VALUE}.")
    private String ending;

    private double step;

    @Option(names = "--no-gaussian", description = "Weigh all voxels of a tile alike.")
    private boolean noGaussian;

    @Option(
            names = "--no-mirror",
            description = "Do not average over mirrored passes: up to eight times faster, slightly less exact.")
    private boolean noMirror;

    @Option(
            names = "--noise",
            paramLabel = "ROUNDS",
            description = {
                "Average over volumes with a little noise and their flips along y and x in place of mirrored tiles:",
                "1 + 3 ROUNDS passes, for steadier maps of uncertainty; 4 is usual."
            })
    private Optional<Integer> noise = Optional.empty();

    @Option(
            names = "--noise-sigma",
            paramLabel = "SIGMA",
            defaultValue = "0.001",
            description = "Deviation of that noise in the normalised image. Default: ${DEFAULT-VALUE}.")
    private double noiseSigma;

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

    @Option(
            names = "--step",
            paramLabel = "TILES",
            defaultValue = "0.5",
            description = "Distance of two tiles in tiles, above 0 to 1. Default: ${DEFAULT-VALUE}.")
    private void step(double tiles) {
        if (!(tiles > 0 && tiles <= 1)) {
            throw new ParameterException(
                    command.commandLine(), "--step is " + tiles + "; use a number above 0, up to 1");
        }
        step = tiles;
    }

    Path model() {
        return model;
    }

    String ending() {
        return ending;
    }

    PredictionJob.Settings settings() {
        return new PredictionJob.Settings(
                step, !noGaussian, !noMirror, uncertainty, probabilities, noise.map(this::testNoise));
    }

    private TestNoise testNoise(int rounds) {
        try {
            return new TestNoise(rounds, noiseSigma);
        } catch (ConfigException e) {
            throw new ParameterException(command.commandLine(), "--noise: " + e.getMessage());
        }
    }

    /** The cases of the input. */
    List<Case> cases() {
        return Files.isRegularFile(input) ? List.of(single()) : Case.scan(input, ending);
    }

    /** The folder that the images are in. */
    Path images() {
        return Files.isDirectory(input) ? input : input.toAbsolutePath().getParent();
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
