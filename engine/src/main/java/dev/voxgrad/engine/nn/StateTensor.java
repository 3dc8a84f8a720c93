package dev.voxgrad.engine.nn;

import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * A float32 tensor of a state dict on the host: PyTorch's sizes, row-major values. The values are not copied. Equality is identity
 * of the values' array; {@link #sameBits} compares contents.
 *
 * @param shape sizes, empty for a scalar
 * @param values as many as the sizes' product
 */
@SuppressWarnings("ArrayRecordComponent") // equality is documented; copying 100 MB of weights is not wanted
public record StateTensor(List<Long> shape, float[] values) {
    /** Checks the number of values. */
    public StateTensor {
        shape = List.copyOf(shape);
        long elements = shape.stream().reduce(1L, Math::multiplyExact);
        if (elements != values.length) {
            throw new IllegalArgumentException(values.length + " values for a tensor " + shape);
        }
    }

    /** True when sizes and every bit of the values agree. */
    public boolean sameBits(StateTensor other) {
        return shape.equals(other.shape)
                && MemorySegment.ofArray(values).mismatch(MemorySegment.ofArray(other.values)) == -1;
    }
}
