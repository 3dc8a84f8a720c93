package dev.voxgrad.engine;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/**
 * Writes files so that a reader sees the old content or the new, never a part: the content goes to a temporary file in the same
 * folder, is synced to the disk, and then renamed. A failure (full disk, crash) leaves the old file as it was.
 */
public final class AtomicFile {
    /** Writes the content to a stream. */
    @FunctionalInterface
    public interface Content {
        /** Called once; the stream is buffered and closed by the caller. */
        void writeTo(OutputStream out) throws IOException;
    }

    private AtomicFile() {}

    /** Replaces a file by these bytes. */
    public static void write(Path file, byte[] content) {
        write(file, out -> out.write(content));
    }

    /**
     * Replaces a file by what is written to the stream.
     *
     * @throws DataException naming the file and the reason; the old file is untouched and nothing is left behind
     */
    public static void write(Path file, Content content) {
        Path target = file.toAbsolutePath();
        Path part = null;
        try {
            part = Files.createTempFile(target.getParent(), "." + target.getFileName(), ".tmp");
            try (FileChannel channel = FileChannel.open(part, StandardOpenOption.WRITE);
                    OutputStream out = new BufferedOutputStream(Channels.newOutputStream(channel), 1 << 16)) {
                content.writeTo(out);
                out.flush();
                channel.force(true);
            }
            rename(part, target);
            syncFolder(target.getParent());
        } catch (IOException e) {
            throw new DataException(
                    "cannot write " + file + ": " + reason(e) + ". The old file, if any, is unchanged; free space or make the folder "
                            + "writable and try again.",
                    e);
        } finally {
            deleteQuietly(part);
        }
    }

    private static void rename(Path part, Path target) throws IOException {
        try {
            Files.move(part, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (AtomicMoveNotSupportedException e) {
            throw new IOException("the file system cannot rename atomically", e);
        }
    }

    /** Makes the rename itself durable; file systems that cannot open a folder do not need it. */
    private static void syncFolder(Path folder) {
        try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
            channel.force(true);
        } catch (IOException e) {
            // Not every file system offers this; the content itself is synced.
        }
    }

    private static void deleteQuietly(Path part) {
        if (part != null) {
            try {
                Files.deleteIfExists(part);
            } catch (IOException e) {
                part.toFile().deleteOnExit();
            }
        }
    }

    private static String reason(IOException e) {
        String text = e.getMessage() == null ? e.toString() : e.getMessage();
        return switch (e) {
            case java.nio.file.NoSuchFileException x -> "the folder does not exist (" + text + ")";
            case java.nio.file.AccessDeniedException x -> "permission denied (" + text + ")";
            default -> text;
        };
    }
}
