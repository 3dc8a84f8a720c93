package dev.voxgrad.engine.image;

/** Header fields that are read or written, with their place and type in both versions of the format. */
enum NiftiField {
    SIZEOF_HDR(0, Kind.I32, 0, Kind.I32),
    DIM(40, Kind.I16, 16, Kind.I64),
    INTENT_CODE(68, Kind.I16, 504, Kind.I32),
    DATATYPE(70, Kind.I16, 12, Kind.I16),
    BITPIX(72, Kind.I16, 14, Kind.I16),
    PIXDIM(76, Kind.F32, 104, Kind.F64),
    VOX_OFFSET(108, Kind.F32, 168, Kind.I64),
    SCL_SLOPE(112, Kind.F32, 176, Kind.F64),
    SCL_INTER(116, Kind.F32, 184, Kind.F64),
    XYZT_UNITS(123, Kind.U8, 500, Kind.I32),
    CAL_MAX(124, Kind.F32, 192, Kind.F64),
    CAL_MIN(128, Kind.F32, 200, Kind.F64),
    DESCRIP(148, Kind.TEXT, 240, Kind.TEXT),
    QFORM_CODE(252, Kind.I16, 344, Kind.I32),
    SFORM_CODE(254, Kind.I16, 348, Kind.I32),
    /** Quaternion b, c, d, then the offsets x, y, z. */
    QUATERN(256, Kind.F32, 352, Kind.F64),
    /** Three rows of four. */
    SROW(280, Kind.F32, 400, Kind.F64),
    INTENT_NAME(328, Kind.TEXT, 508, Kind.TEXT),
    MAGIC(344, Kind.TEXT, 4, Kind.TEXT);

    /** Length of the description. */
    static final int DESCRIP_BYTES = 80;
    /** Length of the intent name. */
    static final int INTENT_NAME_BYTES = 16;

    /** How a field is stored. */
    enum Kind {
        U8(1),
        I16(2),
        I32(4),
        I64(8),
        F32(4),
        F64(8),
        TEXT(1);

        final int bytes;

        Kind(int bytes) {
            this.bytes = bytes;
        }
    }

    private final int offset1;
    private final Kind kind1;
    private final int offset2;
    private final Kind kind2;

    NiftiField(int offset1, Kind kind1, int offset2, Kind kind2) {
        this.offset1 = offset1;
        this.kind1 = kind1;
        this.offset2 = offset2;
        this.kind2 = kind2;
    }

    Kind kind(int version) {
        return version == 1 ? kind1 : kind2;
    }

    int offset(int version, int index) {
        return (version == 1 ? offset1 : offset2) + index * kind(version).bytes;
    }
}
