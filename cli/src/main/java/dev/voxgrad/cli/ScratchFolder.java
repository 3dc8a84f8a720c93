package dev.voxgrad.cli;

import dev.voxgrad.engine.DataException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.stream.Stream;

/** A folder for files that nobody will read; {@link #close} deletes it. */
record ScratchFolder(Path path) implements AutoCloseable {
    /** Makes one where the system wants such folders. */
    static ScratchFolder make() {
        try {
            return new ScratchFolder(Files.createTempDirectory("voxgrad-profile"));
        } catch (IOException e) {
            throw new DataException(
                    "cannot make a folder in " + System.getProperty("java.io.tmpdir") + ": " + e.getMessage(), e);
        }
    }

    @Override
    public void close() {
        try (Stream<Path> tree = Files.walk(path)) {
            for (Path file : tree.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        } catch (IOException e) {
            throw new DataException("cannot delete " + path + ": " + e.getMessage(), e);
        }
    }
}
