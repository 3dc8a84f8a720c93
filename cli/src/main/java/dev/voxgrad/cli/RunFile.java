package dev.voxgrad.cli;

import dev.voxgrad.engine.AtomicFile;
import dev.voxgrad.engine.DataException;
import dev.voxgrad.engine.JsonDefault;
import dev.voxgrad.engine.JsonDefaults;
import dev.voxgrad.engine.OutputFolder;
import dev.voxgrad.engine.tensor.Precision;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * Which cases a model is trained on and how: {@code run.json} in its folder, so that a stopped training can be resumed.
 *
 * @param dataset folder of the raw data set
 * @param training identifiers of the training cases
 * @param validation identifiers of the validation cases
 * @param precision of the convolutions
 */
record RunFile(
        String dataset,
        List<String> training,
        List<String> validation,
        @JsonDefault("\"default\"") Precision precision) {
    private static final String NAME = "run.json";
    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(SerializationFeature.INDENT_OUTPUT)
            .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES)
            .enable(DeserializationFeature.FAIL_ON_NULL_CREATOR_PROPERTIES)
            .build();

    static RunFile read(Path model) {
        Path file = model.resolve(NAME);
        if (!Files.exists(file)) {
            throw new DataException(model + " has no " + NAME
                    + "; it is not the folder of a training, or it was stopped before it began");
        }
        try {
            return JsonDefaults.read(JSON, Files.readString(file), RunFile.class);
        } catch (JacksonException e) {
            throw new DataException(
                    file + ": is damaged (" + e.getOriginalMessage() + "); it needs dataset, training and validation",
                    e);
        } catch (IOException e) {
            throw new DataException(file + ": cannot be read: " + e.getMessage(), e);
        }
    }

    void write(Path model) {
        OutputFolder.create(model);
        AtomicFile.write(model.resolve(NAME), (JsonDefaults.write(JSON, this) + "\n").getBytes(StandardCharsets.UTF_8));
    }
}
