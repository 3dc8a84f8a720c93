package dev.voxgrad.engine.infer;

import java.nio.file.Path;
import java.util.Optional;

/**
 * The files of one predicted case.
 *
 * @param mask the label map, .nii or .nii.gz
 * @param uncertainty a map of floats, if it is wanted
 * @param probabilities .safetensors with one tensor [channel, z, y, x] of this name, if they are wanted
 */
public record PredictionFiles(Path mask, Optional<UncertaintyFile> uncertainty, Optional<Path> probabilities) {
    /** What comes between the name of a case and the ending of its uncertainty map. */
    public static final String UNCERTAINTY_SUFFIX = "_uncertainty";

    /** Name of the tensor in a file of probabilities. */
    public static final String PROBABILITIES = "probabilities";

    /**
     * A map and where it goes.
     *
     * @param kind what it says
     * @param file .nii or .nii.gz
     */
    public record UncertaintyFile(Uncertainty kind, Path file) {}

    /** The mask alone. */
    public static PredictionFiles of(Path mask) {
        return new PredictionFiles(mask, Optional.empty(), Optional.empty());
    }

    /**
     * The files of a case in a folder: CASE.nii.gz, CASE_uncertainty.nii.gz and CASE.safetensors.
     *
     * @param ending of the images, .nii or .nii.gz
     */
    public static PredictionFiles in(
            Path folder, String id, String ending, Optional<Uncertainty> uncertainty, boolean probabilities) {
        return new PredictionFiles(
                folder.resolve(id + ending),
                uncertainty.map(kind -> new UncertaintyFile(kind, folder.resolve(id + UNCERTAINTY_SUFFIX + ending))),
                probabilities ? Optional.of(folder.resolve(id + ".safetensors")) : Optional.empty());
    }

    /** Whether anything beside the mask is wanted. */
    boolean hasMaps() {
        return uncertainty.isPresent() || probabilities.isPresent();
    }
}
