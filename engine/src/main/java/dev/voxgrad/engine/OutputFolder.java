package dev.voxgrad.engine;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A folder that results go to, with errors that say what is in its way. */
public final class OutputFolder {
    private OutputFolder() {}

    /**
     * Says before long work that a folder cannot be made or written to; creates nothing.
     *
     * @throws DataException naming the file or folder in the way
     */
    public static void requireUsable(Path folder) {
        Path nearest = folder.toAbsolutePath().normalize();
        while (!Files.exists(nearest)) {
            nearest = nearest.getParent(); // ends at the root, which exists
        }
        if (!Files.isDirectory(nearest)) {
            throw new DataException(folder + ": cannot be a folder, " + nearest + " is a file; choose another folder");
        }
        if (!Files.isWritable(nearest)) {
            throw new DataException(folder + ": cannot write, the folder " + nearest
                    + " is not writable; change its permissions or choose another folder");
        }
    }

    /**
     * Creates a folder with its parents if it does not exist.
     *
     * @throws DataException naming what is in the way
     */
    public static void create(Path folder) {
        requireUsable(folder);
        try {
            Files.createDirectories(folder);
        } catch (IOException e) {
            throw new DataException(folder + ": cannot create the folder: " + e.getMessage(), e);
        }
    }
}
