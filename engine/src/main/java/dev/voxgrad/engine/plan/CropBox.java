package dev.voxgrad.engine.plan;

import dev.voxgrad.engine.ShapeException;
import dev.voxgrad.engine.op.Triple;
import java.util.Arrays;

/** A box of voxels: {@code from} is inside, {@code to} is one past the last index of each axis. */
public record CropBox(Triple from, Triple to) {
    /** At least one voxel, no negative index. */
    public CropBox {
        if (from.d() < 0
                || from.h() < 0
                || from.w() < 0
                || from.d() >= to.d()
                || from.h() >= to.h()
                || from.w() >= to.w()) {
            throw new ShapeException("a box from " + from + " to " + to + " holds no voxel");
        }
    }

    /** The whole volume. */
    public static CropBox all(Triple size) {
        return new CropBox(new Triple(0, 0, 0), size);
    }

    /** Its edges. */
    public Triple size() {
        return new Triple(to.d() - from.d(), to.h() - from.h(), to.w() - from.w());
    }

    /** The voxels of one channel in the box. */
    public float[] cut(float[] x, Triple volume) {
        Triple s = size();
        if (s.equals(volume)) {
            return x;
        }
        float[] y = new float[s.d() * s.h() * s.w()];
        forRows(volume, (source, target) -> System.arraycopy(x, source, y, target, s.w()));
        return y;
    }

    /** The labels in the box. */
    public short[] cut(short[] x, Triple volume) {
        Triple s = size();
        if (s.equals(volume)) {
            return x;
        }
        short[] y = new short[s.d() * s.h() * s.w()];
        forRows(volume, (source, target) -> System.arraycopy(x, source, y, target, s.w()));
        return y;
    }

    /** A volume of zeros with these labels in the box. */
    public byte[] paste(byte[] x, Triple volume) {
        Triple s = size();
        if (s.equals(volume)) {
            return x;
        }
        byte[] y = new byte[volume.d() * volume.h() * volume.w()];
        forRows(volume, (target, source) -> System.arraycopy(x, source, y, target, s.w()));
        return y;
    }

    private interface Row {
        void copy(int inVolume, int inBox);
    }

    private void forRows(Triple volume, Row row) {
        Triple s = size();
        for (int z = 0; z < s.d(); z++) {
            for (int y = 0; y < s.h(); y++) {
                int inVolume = ((from.d() + z) * volume.h() + from.h() + y) * volume.w() + from.w();
                row.copy(inVolume, (z * s.h() + y) * s.w());
            }
        }
    }

    /** The smallest box around the voxels that are true; the whole volume if none is. */
    static CropBox around(boolean[] mask, Triple size) {
        int[] low = {Integer.MAX_VALUE, Integer.MAX_VALUE, Integer.MAX_VALUE};
        int[] high = {-1, -1, -1};
        int i = 0;
        for (int z = 0; z < size.d(); z++) {
            for (int y = 0; y < size.h(); y++) {
                for (int x = 0; x < size.w(); x++) {
                    if (mask[i++]) {
                        low[0] = Math.min(low[0], z);
                        low[1] = Math.min(low[1], y);
                        low[2] = Math.min(low[2], x);
                        high[0] = Math.max(high[0], z);
                        high[1] = Math.max(high[1], y);
                        high[2] = Math.max(high[2], x);
                    }
                }
            }
        }
        if (Arrays.stream(high).min().orElseThrow() < 0) {
            return all(size);
        }
        return new CropBox(new Triple(low[0], low[1], low[2]), new Triple(high[0] + 1, high[1] + 1, high[2] + 1));
    }
}
