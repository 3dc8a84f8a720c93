package dev.voxgrad.engine.image;

import dev.voxgrad.engine.DataException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** The bytes of a volume file, front to back, decompressed where the file is gzip. */
interface ByteSource extends AutoCloseable {
    /** The next {@code count} bytes, fewer only at the end of the data; valid until the next call. */
    ByteBuffer take(int count) throws IOException;

    /** Passes over bytes; returns how many there were, fewer than asked for only at the end. */
    long skip(long count) throws IOException;

    /** The most bytes the whole file can hold, known without reading it. */
    long limit();

    /** Verifies what follows the bytes that were taken. */
    void finish() throws IOException;

    @Override
    void close() throws IOException;

    /** Opens a file as what its first two bytes, not its name, say it is. */
    static ByteSource open(Path file) throws IOException {
        if (Files.isDirectory(file)) {
            throw new DataException(file + ": is a folder, expected a NIfTI file");
        }
        return isGzip(file) ? new GzipSource(file) : new MappedSource(file);
    }

    private static boolean isGzip(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            ByteBuffer start = ByteBuffer.allocate(2);
            return channel.read(start) == 2 && start.get(0) == 0x1f && start.get(1) == (byte) 0x8b;
        }
    }
}
