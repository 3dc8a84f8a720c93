package dev.voxgrad.cli;

import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.metric.CaseFiles;
import dev.voxgrad.engine.metric.EvaluationSettings;
import dev.voxgrad.engine.plan.DatasetDescription;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Option;

/** What {@code evaluate} reads. */
final class EvaluationFiles {
    @Option(
            names = {"-p", "--predictions"},
            required = true,
            paramLabel = "FOLDER",
            description = "Folder of masks.")
    private Path predictions;

    @Option(
            names = {"-r", "--references"},
            required = true,
            paramLabel = "FOLDER",
            description = "Folder of reference labels.")
    private Path references;

    @Option(
            names = "--dataset",
            required = true,
            paramLabel = "FOLDER",
            description = "Folder whose dataset.json names the labels: a data set or a model.")
    private Path dataset;

    @Option(
            names = "--probabilities",
            paramLabel = "FOLDER",
            description = "Folder of the probabilities of the masks, for calibration: CASE.nii.gz with one channel per"
                    + " class, or CASE.safetensors with one tensor [class, z, y, x]; background is the first class.")
    private Optional<Path> probabilities;

    @Option(
            names = "--compare",
            paramLabel = "FOLDER",
            description = "Masks of another model: differences with intervals and p values, case by case.")
    private Optional<Path> other;

    @Option(names = "--compare-probabilities", paramLabel = "FOLDER", description = "Probabilities of the other model.")
    private Optional<Path> otherProbabilities;

    @Option(names = "--partial", description = "Allow references without a mask.")
    private boolean partial;

    DatasetDescription description() {
        return DatasetDescription.read(dataset);
    }

    boolean haveProbabilities() {
        return probabilities.isPresent();
    }

    /** The folder of the model to compare with. */
    Optional<Path> other() {
        return other;
    }

    /**
     * Checks that both models come with what the metrics need.
     *
     * @throws ConfigException naming the option that is missing
     */
    void requireBothProbabilities(EvaluationSettings settings) {
        if (otherProbabilities.isPresent() && other.isEmpty()) {
            throw new ConfigException("--compare-probabilities needs --compare, the masks of the other model");
        }
        if (settings.needsProbabilities() && other.isPresent() && otherProbabilities.isEmpty()) {
            throw new ConfigException("--metrics asks for calibration; give the other model's probabilities with"
                    + " --compare-probabilities");
        }
    }

    /**
     * The cases of the model.
     *
     * @param ending of the files of the data set
     * @throws dev.voxgrad.engine.DataException when files have no partner
     */
    List<CaseFiles> cases(String ending) {
        return cases(predictions, probabilities, ending);
    }

    /** The cases of the other model. */
    Optional<List<CaseFiles>> otherCases(String ending) {
        return other.map(folder -> cases(folder, otherProbabilities, ending));
    }

    private List<CaseFiles> cases(Path folder, Optional<Path> withProbabilities, String ending) {
        List<CaseFiles> cases = CaseFiles.pair(folder, references, ending, !partial);
        return withProbabilities
                .map(p -> CaseFiles.withProbabilities(cases, p, ending))
                .orElse(cases);
    }
}
