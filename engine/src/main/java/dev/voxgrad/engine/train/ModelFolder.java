package dev.voxgrad.engine.train;

import dev.voxgrad.engine.DataException;
import dev.voxgrad.engine.OutputFolder;
import dev.voxgrad.engine.plan.Plan;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * The folder of one model: {@code plan.json}, {@code dataset.json}, {@code run.json}, {@code training_log.jsonl} and checkpoints.
 *
 * <ul>
 *   <li>{@code checkpoint_latest.safetensors}: the last regular one, only while a run is not finished
 *   <li>{@code checkpoint_best.safetensors}: the best moving average of the validation Dice so far
 *   <li>{@code checkpoint_final.safetensors}: the end of the run
 * </ul>
 */
public record ModelFolder(Path path) {
    /** The plan that the model was trained with. */
    public Path plan() {
        return path.resolve("plan.json");
    }

    /** A copy of the data set's description. */
    public Path dataset() {
        return path.resolve("dataset.json");
    }

    /** The log, one line per epoch. */
    public Path log() {
        return path.resolve("training_log.jsonl");
    }

    /** Regular checkpoint of an unfinished run. */
    public Path latest() {
        return path.resolve("checkpoint_latest.safetensors");
    }

    /** Checkpoint of the best epoch. */
    public Path best() {
        return path.resolve("checkpoint_best.safetensors");
    }

    /** Checkpoint of the finished run. */
    public Path end() {
        return path.resolve("checkpoint_final.safetensors");
    }

    /**
     * Checks that this is a model, trained or in training.
     *
     * @throws DataException when it is not
     */
    public void require() {
        if (!Files.isDirectory(path)) {
            throw new DataException(path + " is not a folder; give the folder of a trained model");
        }
        if (!Files.exists(plan())) {
            throw new DataException(path + " has no plan.json; give the folder of a trained model");
        }
    }

    /** The plan. */
    public Plan readPlan() {
        require();
        return Plan.read(plan());
    }

    /** The weights to predict with: those of the finished run, else the best, else the latest. */
    public Path weights() {
        return first(end(), best(), latest())
                .orElseThrow(() ->
                        new DataException(path + " has no checkpoint yet; let the training finish its first epochs"));
    }

    /** Where a stopped run goes on: the finished checkpoint (nothing is left to do) or the latest. */
    Optional<Path> resumable() {
        return first(end(), latest());
    }

    private static Optional<Path> first(Path... files) {
        for (Path file : files) {
            if (Files.exists(file)) {
                return Optional.of(file);
            }
        }
        return Optional.empty();
    }

    /** Deletes plan, log and checkpoints, so that a training can start anew. */
    public void clear() {
        for (Path file : List.of(end(), best(), latest(), log(), dataset(), plan())) {
            try {
                Files.deleteIfExists(file);
            } catch (IOException e) {
                throw new DataException("cannot delete " + file + ": " + e.getMessage(), e);
            }
        }
    }

    /** Creates the folder. */
    void create() {
        OutputFolder.create(path);
    }
}
