package dev.voxgrad.engine;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/**
 * Writes a file so that its name always stands for complete content: the bytes go to a temporary name in the same
 * folder, are forced to the disk, and only then take the place of the old file. Whatever fails on the way, a full disk
 * included, leaves the old file as it was and no temporary file behind.
 *
 * <p>A symbolic link at the target is replaced by the file, not followed.
 */
public final class AtomicFile {
    /** Names tried before giving up: a process number is reused at most this often in practice. */
    private static final int NAME_TRIES = 1000;

    private AtomicFile() {}

    /** What to write, handed the channel of the temporary file, positioned at its start. */
    @FunctionalInterface
    public interface Content {
        /** Writes everything; must not close the channel. */
        void writeTo(FileChannel channel) throws IOException;
    }

    /** Writes or replaces {@code target} with {@code bytes}; see {@link #write(Path, Content)}. */
    public static void write(Path target, byte[] bytes) {
        write(target, channel -> writeFully(channel, ByteBuffer.wrap(bytes)));
    }

    /**
     * Writes or replaces {@code target}.
     *
     * @throws DataException when the file cannot be written; the message names the path and the reason. Exceptions of
     *     {@code content} other than {@link IOException} pass unchanged, with the same clean-up.
     */
    public static void write(Path target, Content content) {
        if (Files.isDirectory(target)) {
            throw new DataException(target + ": cannot write, a folder has this name; choose another file name");
        }
        try {
            Path temporary = reserveBeside(target.toAbsolutePath());
            boolean moved = false;
            try {
                try (FileChannel channel = FileChannel.open(temporary, StandardOpenOption.WRITE)) {
                    content.writeTo(channel);
                    channel.force(true);
                }
                Files.move(
                        temporary,
                        target.toAbsolutePath(),
                        StandardCopyOption.ATOMIC_MOVE,
                        StandardCopyOption.REPLACE_EXISTING);
                moved = true;
            } finally {
                // Once moved, the name is free and may already belong to another thread.
                if (!moved) {
                    Files.deleteIfExists(temporary);
                }
            }
            forceFolder(target.toAbsolutePath().getParent());
        } catch (IOException e) {
            throw new DataException(
                    target + ": cannot write (" + reason(e)
                            + "); any earlier file of this name is unchanged. Check free space and permissions.",
                    e);
        }
    }

    /** Writes all remaining bytes; a channel may take fewer at a time. */
    public static void writeFully(FileChannel channel, ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    /** Creates an empty file with a free hidden name next to the target, with the permissions of any new file. */
    private static Path reserveBeside(Path target) throws IOException {
        String prefix =
                "." + target.getFileName() + "." + ProcessHandle.current().pid();
        for (int i = 0; i < NAME_TRIES; i++) {
            try {
                return Files.createFile(target.resolveSibling(prefix + "-" + i + ".tmp"));
            } catch (FileAlreadyExistsException taken) {
                // Another thread writes the same file, or a crashed process had our number: next name.
            }
        }
        throw new IOException("no free temporary name " + prefix + "-N.tmp; remove old ones");
    }

    /** Makes the rename itself survive a power cut. */
    private static void forceFolder(Path folder) {
        try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
            channel.force(true);
        } catch (IOException e) {
            // Some network file systems cannot sync a folder; the content itself is on the disk already.
        }
    }

    private static String reason(IOException e) {
        if (e instanceof NoSuchFileException missing) {
            Path folder = Path.of(missing.getFile()).getParent();
            return folder != null && !Files.isDirectory(folder) ? "folder " + folder + " does not exist" : "not found";
        }
        if (e instanceof FileSystemException system && system.getReason() != null) {
            return system.getReason();
        }
        String text = e.getMessage();
        return text == null ? e.getClass().getSimpleName() : text;
    }
}
