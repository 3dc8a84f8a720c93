package dev.voxgrad.engine.image;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Turns stored voxels into floats: {@code raw * slope + intercept} in double precision, then rounded once. Works on chunks
 * that stay in the cache, so no array of doubles the size of the volume ever exists.
 */
final class VoxelDecoder {
    private static final int CHUNK_VOXELS = 8192;

    private final ByteSource source;
    private final NiftiLayout layout;
    private final ByteOrder order;
    private final double[] raw = new double[CHUNK_VOXELS];

    VoxelDecoder(ByteSource source, NiftiLayout layout, ByteOrder order) {
        this.source = source;
        this.layout = layout;
        this.order = order;
    }

    /** Receives decoded values from {@code first} on; the array is reused. */
    @FunctionalInterface
    interface Sink {
        void accept(int first, float[] values, int count);
    }

    /** Fills {@code voxels}; returns how many there were, fewer only when the data end early. */
    int read(float[] voxels) throws IOException {
        return read(voxels.length, (first, values, count) -> System.arraycopy(values, 0, voxels, first, count));
    }

    /** Hands out {@code voxels} values chunk by chunk; returns how many there were. */
    int read(int voxels, Sink sink) throws IOException {
        float[] values = new float[CHUNK_VOXELS];
        int done = 0;
        while (done < voxels) {
            int wanted = Math.min(CHUNK_VOXELS, voxels - done);
            ByteBuffer bytes = source.take(wanted * layout.type().bytes()).order(order);
            int count = bytes.remaining() / layout.type().bytes();
            decode(bytes, values, count);
            sink.accept(done, values, count);
            done += count;
            if (count < wanted) {
                break;
            }
        }
        return done;
    }

    private void decode(ByteBuffer bytes, float[] values, int count) {
        if (layout.type() == NiftiType.F32 && layout.unscaled()) {
            // Bit for bit, NaN payloads included.
            bytes.asFloatBuffer().get(values, 0, count);
            return;
        }
        widen(bytes, count);
        if (layout.unscaled()) {
            for (int i = 0; i < count; i++) {
                values[i] = (float) raw[i];
            }
        } else {
            for (int i = 0; i < count; i++) {
                values[i] = (float) (raw[i] * layout.slope() + layout.intercept());
            }
        }
    }

    private void widen(ByteBuffer bytes, int count) {
        for (int i = 0; i < count; i++) {
            raw[i] = switch (layout.type()) {
                case U8 -> Byte.toUnsignedInt(bytes.get(i));
                case I8 -> bytes.get(i);
                case I16 -> bytes.getShort(2 * i);
                case U16 -> Short.toUnsignedInt(bytes.getShort(2 * i));
                case I32 -> bytes.getInt(4 * i);
                case U32 -> Integer.toUnsignedLong(bytes.getInt(4 * i));
                case F32 -> bytes.getFloat(4 * i);
                case F64 -> bytes.getDouble(8 * i);
                case I64 -> bytes.getLong(8 * i);
                case U64 -> unsigned(bytes.getLong(8 * i));
            };
        }
    }

    private static double unsigned(long value) {
        // Half keeps 63 bits; its lowest bit remembers what was shifted out, so rounding stays right.
        return value >= 0 ? value : ((value >>> 1) | (value & 1)) * 2.0;
    }
}
