package dev.voxgrad.engine.image;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** An uncompressed file, memory-mapped. */
final class MappedSource implements ByteSource {
    private final Arena arena = Arena.ofConfined();
    private final MemorySegment bytes;
    private long position;

    MappedSource(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            bytes = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
        } catch (IOException e) {
            arena.close();
            throw e;
        }
    }

    @Override
    public ByteBuffer take(int count) {
        long start = position;
        return bytes.asSlice(start, skip(count)).asByteBuffer();
    }

    @Override
    public long skip(long count) {
        long passed = Math.min(count, bytes.byteSize() - position);
        position += passed;
        return passed;
    }

    @Override
    public long limit() {
        return bytes.byteSize();
    }

    @Override
    public void finish() {
        // An uncompressed file has no checksum.
    }

    @Override
    public void close() {
        arena.close();
    }
}
