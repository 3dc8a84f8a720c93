package dev.voxgrad.engine.image;

/** Voxel types of NIfTI that hold one real number, by their code in the header. */
public enum NiftiType {
    /** Unsigned 8 bits. */
    U8(2, 1),
    /** Signed 16 bits. */
    I16(4, 2),
    /** Signed 32 bits. */
    I32(8, 4),
    /** IEEE float. */
    F32(16, 4),
    /** IEEE double. */
    F64(64, 8),
    /** Signed 8 bits. */
    I8(256, 1),
    /** Unsigned 16 bits. */
    U16(512, 2),
    /** Unsigned 32 bits. */
    U32(768, 4),
    /** Signed 64 bits. */
    I64(1024, 8),
    /** Unsigned 64 bits. */
    U64(1280, 8);

    private final int code;
    private final int bytes;

    NiftiType(int code, int bytes) {
        this.code = code;
        this.bytes = bytes;
    }

    /** The header's datatype field. */
    public int code() {
        return code;
    }

    /** Size of a voxel. */
    public int bytes() {
        return bytes;
    }

    /** The name the format gives to a code, for messages. */
    static String nameOf(int code) {
        return switch (code) {
            case 0 -> "unknown";
            case 1 -> "binary";
            case 32 -> "complex64";
            case 1792 -> "complex128";
            case 2048 -> "complex256";
            case 128 -> "RGB24";
            case 2304 -> "RGBA32";
            case 1536 -> "float128";
            default -> "undefined";
        };
    }
}
