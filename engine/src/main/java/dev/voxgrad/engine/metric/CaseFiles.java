package dev.voxgrad.engine.metric;

import dev.voxgrad.engine.DataException;
import dev.voxgrad.engine.infer.PredictionFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The files of one case to be scored.
 *
 * @param id file name without its ending
 * @param prediction label map
 * @param reference label map
 * @param probabilities of the prediction, see {@link ProbabilityMap}
 */
public record CaseFiles(String id, Path prediction, Path reference, Optional<Path> probabilities) {
    /**
     * Pairs the files of two folders by name. CASE_uncertainty beside a prediction CASE is its map, not a prediction, unless there is a
     * reference of that name.
     *
     * @param ending of the files, such as {@code .nii.gz}
     * @param strict whether every reference must have a prediction
     * @return by name, ascending
     * @throws DataException listing all files without a partner, or when there is nothing to score
     */
    public static List<CaseFiles> pair(Path predictions, Path references, String ending, boolean strict) {
        List<String> referenced = names(references, ending);
        List<String> found = names(predictions, ending);
        List<String> predicted = found.stream()
                .filter(name -> referenced.contains(name) || !isMap(name, found, ending))
                .toList();
        if (predicted.isEmpty()) {
            throw new DataException(predictions + ": no file ends with " + ending + "; nothing to evaluate");
        }
        requireAll(predicted, referenced, "no reference in " + references + " for the predictions ");
        if (strict) {
            requireAll(referenced, predicted, "no prediction in " + predictions + " for the references ");
        }
        return predicted.stream()
                .map(name -> new CaseFiles(
                        name.substring(0, name.length() - ending.length()),
                        predictions.resolve(name),
                        references.resolve(name),
                        Optional.empty()))
                .toList();
    }

    /**
     * The same cases with their probabilities: {@code CASE.safetensors}, or CASE with the ending of the masks.
     *
     * @throws DataException listing all cases without
     */
    public static List<CaseFiles> withProbabilities(List<CaseFiles> cases, Path folder, String ending) {
        List<String> missing = new ArrayList<>();
        List<CaseFiles> found = new ArrayList<>();
        for (CaseFiles c : cases) {
            Path file = Stream.of(".safetensors", ending)
                    .map(e -> folder.resolve(c.id + e))
                    .filter(Files::exists)
                    .findFirst()
                    .orElse(folder);
            if (file.equals(folder)) {
                missing.add(c.id);
            }
            found.add(new CaseFiles(c.id, c.prediction, c.reference, Optional.of(file)));
        }
        if (!missing.isEmpty()) {
            throw new DataException(folder + ": no probabilities of the cases " + missing
                    + "; they are looked for as CASE.safetensors and CASE" + ending);
        }
        return found;
    }

    private static boolean isMap(String name, List<String> predicted, String ending) {
        String suffix = PredictionFiles.UNCERTAINTY_SUFFIX + ending;
        return name.endsWith(suffix) && predicted.contains(name.substring(0, name.length() - suffix.length()) + ending);
    }

    private static void requireAll(List<String> wanted, List<String> present, String message) {
        List<String> missing = new ArrayList<>(wanted);
        missing.removeAll(present);
        if (!missing.isEmpty()) {
            throw new DataException(message + missing + "; add the files or remove their partners");
        }
    }

    private static List<String> names(Path folder, String ending) {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(f -> f.getFileName().toString())
                    .filter(n -> n.endsWith(ending))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new DataException(folder + ": cannot list the folder; check that it exists and is readable", e);
        }
    }
}
