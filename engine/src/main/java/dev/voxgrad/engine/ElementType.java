package dev.voxgrad.engine;

/** Element types of stored tensors, named as safetensors files name them. All are little-endian. */
public enum ElementType {
    /** IEEE double. */
    F64(8),
    /** IEEE float. */
    F32(4),
    /** IEEE half. */
    F16(2),
    /** Upper half of a float. */
    BF16(2),
    /** Signed integers. */
    I64(8),
    /** Signed 32-bit integer. */
    I32(4),
    /** Signed 16-bit integer. */
    I16(2),
    /** Signed byte. */
    I8(1),
    /** Unsigned 16-bit integer. */
    U16(2),
    /** Unsigned byte. */
    U8(1),
    /** Truth value, one byte, 0 or 1. */
    BOOL(1);

    private final int bytes;

    ElementType(int bytes) {
        this.bytes = bytes;
    }

    /** Size of one element. */
    public int bytes() {
        return bytes;
    }

    /** Whether every value is a whole number or a truth value. */
    public boolean isWhole() {
        return switch (this) {
            case F64, F32, F16, BF16 -> false;
            case I64, I32, I16, I8, U16, U8, BOOL -> true;
        };
    }
}
