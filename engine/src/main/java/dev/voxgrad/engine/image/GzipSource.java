package dev.voxgrad.engine.image;

import dev.voxgrad.engine.DataException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/**
 * Decodes a gzip file front to back (RFC 1952). All members are decoded; bytes after the last member that do not start
 * another one are ignored; a missing or wrong trailer is an error, unlike in the JDK's stream, which overlooks a broken
 * second member.
 */
final class GzipSource implements ByteSource {
    /** Deflate cannot expand more: a copy of 258 bytes takes at least 2 bits. */
    private static final long MAX_EXPANSION = 1032;

    private static final int BUFFER_BYTES = 1 << 16;
    private static final int FLAG_HEADER_CRC = 2;
    private static final int FLAG_EXTRA = 4;
    private static final int FLAG_NAME = 8;
    private static final int FLAG_COMMENT = 16;
    private static final int RESERVED_FLAGS = 0xe0;

    private final Path file;
    private final long fileBytes;
    private final InputStream in;
    private final Inflater inflater = new Inflater(true);
    private final CRC32 crc = new CRC32();
    private final byte[] input = new byte[BUFFER_BYTES];
    private int inputStart;
    private int inputEnd;
    private byte[] output = new byte[BUFFER_BYTES];
    private boolean ended;

    GzipSource(Path file) throws IOException {
        this.file = file;
        this.fileBytes = Files.size(file);
        this.in = Files.newInputStream(file);
        try {
            memberHeader(need(), need());
        } catch (IOException | DataException e) {
            close();
            throw e;
        }
    }

    @Override
    public ByteBuffer take(int count) throws IOException {
        if (output.length < count) {
            output = new byte[count];
        }
        return ByteBuffer.wrap(output, 0, read(count)).slice();
    }

    @Override
    public long skip(long count) throws IOException {
        long passed = 0;
        while (passed < count && !ended) {
            passed += read((int) Math.min(output.length, count - passed));
        }
        return passed;
    }

    @Override
    public long limit() {
        return Math.multiplyExact(fileBytes, MAX_EXPANSION);
    }

    /** Decodes the rest, so that every trailer is verified. */
    @Override
    public void finish() throws IOException {
        while (!ended) {
            read(output.length);
        }
    }

    /** Decodes into the front of the output buffer; fewer bytes than asked for only at the end. */
    private int read(int length) throws IOException {
        int done = 0;
        while (done < length && !ended) {
            int count = inflate(done, length - done);
            crc.update(output, done, count);
            done += count;
            if (inflater.finished()) {
                trailer();
            } else if (inflater.needsInput()) {
                refill();
            }
        }
        return done;
    }

    private int inflate(int offset, int length) {
        try {
            int count = inflater.inflate(output, offset, length);
            if (inflater.needsDictionary()) {
                throw new DataException(file + ": gzip data need a preset dictionary, which gzip does not have");
            }
            return count;
        } catch (DataFormatException e) {
            throw new DataException(file + ": gzip data are damaged (" + e.getMessage() + ")", e);
        }
    }

    private void refill() throws IOException {
        int count = in.read(input, 0, input.length);
        if (count < 0) {
            throw truncated();
        }
        inputEnd = count;
        inflater.setInput(input, 0, count);
    }

    /** Checks length and CRC-32 of the member that ended and starts the next one, if any follows. */
    private void trailer() throws IOException {
        inputStart = inputEnd - inflater.getRemaining();
        long expectedCrc = need32();
        long expectedLength = need32();
        if (expectedCrc != crc.getValue()) {
            throw new DataException(file + ": gzip checksum is " + Long.toHexString(crc.getValue())
                    + ", the trailer says " + Long.toHexString(expectedCrc) + "; the file is damaged");
        }
        if (expectedLength != (inflater.getBytesWritten() & 0xffff_ffffL)) {
            throw new DataException(file + ": gzip length is " + inflater.getBytesWritten() + ", the trailer says "
                    + expectedLength + "; the file is damaged");
        }
        int first = next();
        int second = first < 0 ? -1 : next();
        if (first == 0x1f && second == 0x8b) {
            memberHeader(first, second);
        } else {
            ended = true;
        }
    }

    private void memberHeader(int first, int second) throws IOException {
        int method = need();
        int flags = need();
        if (first != 0x1f || second != 0x8b || method != 8 || (flags & RESERVED_FLAGS) != 0) {
            throw new DataException(file + ": gzip header has method " + method + " and flags " + flags
                    + "; only deflate without reserved flags is defined");
        }
        skip(6);
        if ((flags & FLAG_EXTRA) != 0) {
            skip(need() | need() << 8);
        }
        skipText((flags & FLAG_NAME) != 0);
        skipText((flags & FLAG_COMMENT) != 0);
        skip((flags & FLAG_HEADER_CRC) != 0 ? 2 : 0);
        inflater.reset();
        crc.reset();
        inflater.setInput(input, inputStart, inputEnd - inputStart);
    }

    private void skip(int count) throws IOException {
        for (int i = 0; i < count; i++) {
            need();
        }
    }

    private void skipText(boolean present) throws IOException {
        while (present && need() != 0) {
            // Zero ends the text.
        }
    }

    private long need32() throws IOException {
        long value = 0;
        for (int shift = 0; shift < 32; shift += 8) {
            value |= (long) need() << shift;
        }
        return value;
    }

    private int need() throws IOException {
        int value = next();
        if (value < 0) {
            throw truncated();
        }
        return value;
    }

    /** The next raw byte, or -1 at the end of the file. */
    private int next() throws IOException {
        if (inputStart == inputEnd) {
            inputStart = 0;
            inputEnd = Math.max(0, in.read(input, 0, input.length));
            if (inputEnd == 0) {
                return -1;
            }
        }
        return Byte.toUnsignedInt(input[inputStart++]);
    }

    private DataException truncated() {
        return new DataException(file + ": gzip data end early; the file is cut off");
    }

    @Override
    public void close() throws IOException {
        inflater.end();
        in.close();
    }
}
