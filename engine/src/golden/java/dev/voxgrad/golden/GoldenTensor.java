package dev.voxgrad.golden;

import dev.voxgrad.engine.ElementType;
import java.util.Arrays;

/** A stored array: row-major values with their shape, outermost axis first. Whole numbers are exact up to 2^53. */
@SuppressWarnings("ArrayRecordComponent") // a plain carrier, never compared as a whole
public record GoldenTensor(ElementType type, int[] shape, double[] values) {
    /** The values as floats, rounded where they were doubles. */
    public float[] floats() {
        float[] floats = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            floats[i] = (float) values[i];
        }
        return floats;
    }

    /** The values of a label map or mask as ints. */
    public int[] ints() {
        return Arrays.stream(values).mapToInt(v -> Math.toIntExact((long) v)).toArray();
    }

    /** The values of a label map or mask as unsigned bytes. */
    public byte[] bytes() {
        byte[] bytes = new byte[values.length];
        for (int i = 0; i < values.length; i++) {
            bytes[i] = (byte) values[i];
        }
        return bytes;
    }

    /** The index along each axis of a flat position, for messages. */
    int[] index(int flat) {
        int[] index = new int[shape.length];
        int rest = flat;
        for (int axis = shape.length - 1; axis >= 0; axis--) {
            index[axis] = rest % shape[axis];
            rest /= shape[axis];
        }
        return index;
    }
}
