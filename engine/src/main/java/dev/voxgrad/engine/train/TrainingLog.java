package dev.voxgrad.engine.train;

import dev.voxgrad.engine.AtomicFile;
import dev.voxgrad.engine.DataException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/** The log of a run: one JSON line per finished epoch, appended as it happens. */
public final class TrainingLog {
    private static final JsonMapper JSON = JsonMapper.builder().build();

    private TrainingLog() {}

    /** Reads the records; a last line cut off by a killed process is left out. */
    public static List<EpochRecord> read(Path file) {
        if (!Files.exists(file)) {
            return List.of();
        }
        List<EpochRecord> records = new ArrayList<>();
        try {
            List<String> lines = Files.readAllLines(file);
            for (int i = 0; i < lines.size(); i++) {
                try {
                    records.add(JSON.readValue(lines.get(i), EpochRecord.class));
                } catch (JacksonException e) {
                    if (i < lines.size() - 1) {
                        throw new DataException(
                                file + ", line " + (i + 1) + ": not an epoch record: " + e.getOriginalMessage(), e);
                    }
                }
            }
            return records;
        } catch (IOException e) {
            throw new DataException("cannot read " + file + ": " + e.getMessage(), e);
        }
    }

    /** Keeps the records of the first epochs: what a resumed run will not repeat. */
    static void truncate(Path file, int epochs) {
        StringBuilder text = new StringBuilder();
        for (EpochRecord record : read(file)) {
            if (record.epoch() < epochs) {
                text.append(JSON.writeValueAsString(record)).append('\n');
            }
        }
        AtomicFile.write(file, text.toString().getBytes(StandardCharsets.UTF_8));
    }

    static void append(Path file, EpochRecord record) {
        try {
            Files.writeString(
                    file, JSON.writeValueAsString(record) + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw new DataException(
                    "cannot write " + file + ": " + e.getMessage() + "; free some space, then resume", e);
        }
    }
}
