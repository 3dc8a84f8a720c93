package dev.voxgrad.engine.metric;

import dev.voxgrad.engine.DataException;
import dev.voxgrad.engine.image.LabelVolume;
import dev.voxgrad.engine.image.NiftiReader;
import dev.voxgrad.engine.plan.LabelNames;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/** Scores label maps against references, voxel by voxel, for each foreground label. */
public final class DiceEvaluator {
    private final LabelNames names;

    /** An evaluator for the foreground labels of a task. */
    public DiceEvaluator(LabelNames names) {
        this.names = names;
    }

    /**
     * Scores one case.
     *
     * @param prediction unsigned labels
     * @param reference unsigned labels of the same grid; voxels with the ignore label do not count
     * @return counts by label
     */
    public Map<Integer, Confusion> evaluate(short[] prediction, short[] reference) {
        Map<Integer, Confusion> counts = new TreeMap<>();
        for (int label : names.foreground()) {
            counts.put(label, Confusion.count(label, names.ignore().orElse(-1), prediction, reference));
        }
        return counts;
    }

    /**
     * Scores two files.
     *
     * @throws DataException when one cannot be read or the grids differ
     */
    public Summary.CaseScore evaluate(Path predictionFile, Path referenceFile) {
        LabelVolume prediction = NiftiReader.readLabels(predictionFile).labels();
        LabelVolume reference = NiftiReader.readLabels(referenceFile).labels();
        if (!prediction.grid().equals(reference.grid())) {
            throw new DataException(predictionFile + ": shape " + prediction.grid() + " differs from shape "
                    + reference.grid() + " of " + referenceFile + "; compare label maps of the same image");
        }
        return new Summary.CaseScore(
                predictionFile.toString(), referenceFile.toString(), evaluate(prediction.labels(), reference.labels()));
    }

    /**
     * Scores a folder of predictions against a folder of references with the same file names.
     *
     * @param ending of the files, such as {@code .nii.gz}
     * @param strict whether every reference must have a prediction
     * @throws DataException listing all files without a partner, or when there is nothing to score
     */
    public Summary evaluateFolders(Path predictions, Path references, String ending, boolean strict) {
        List<String> predicted = names(predictions, ending);
        List<String> referenced = names(references, ending);
        if (predicted.isEmpty()) {
            throw new DataException(predictions + ": no file ends with " + ending + "; nothing to evaluate");
        }
        requireAll(predicted, referenced, "no reference in " + references + " for the predictions ");
        if (strict) {
            requireAll(referenced, predicted, "no prediction in " + predictions + " for the references ");
        }
        List<Summary.CaseScore> scores = new ArrayList<>();
        for (String name : predicted) {
            scores.add(evaluate(predictions.resolve(name), references.resolve(name)));
        }
        return new Summary(scores);
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
