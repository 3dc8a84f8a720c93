package dev.voxgrad.engine.image;

import dev.voxgrad.engine.DataException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/**
 * What a validated header says about its voxels: sizes, type, place in the file, scaling. Everything is checked here,
 * before any voxel is read or any array allocated.
 *
 * @param axes number of spatial axes, 2 or 3
 * @param offset first byte of the voxels in their file
 * @param bytes size of all voxels
 * @param slope factor of each raw value; 1 with {@code intercept} 0 when the file is not scaled
 */
record NiftiLayout(
        int axes, Grid grid, int channels, NiftiType type, long offset, long bytes, double slope, double intercept) {
    /** 2^53, the largest offset a double counts to exactly. */
    private static final double MAX_OFFSET = 0x1p53;

    /** Whether values are stored as they are meant. */
    boolean unscaled() {
        return slope == 1 && intercept == 0;
    }

    /** Validates; findings that do not prevent reading go to {@code warnings}. */
    static NiftiLayout of(Path file, NiftiHeader header, List<String> warnings) {
        return new Checks(file, header, warnings).layout();
    }

    private record Checks(Path file, NiftiHeader header, List<String> warnings) {
        NiftiLayout layout() {
            NiftiType type = type();
            int axes = axes();
            for (int axis = 1; axis <= axes; axis++) {
                double spacing = header.pixdim(axis);
                if (spacing == 0 || !Double.isFinite(spacing)) {
                    throw refuse(
                            "pixdim[" + axis + "]",
                            spacing,
                            "the voxel spacing of a used axis must be finite and not 0");
                }
            }
            long bytes = bytes(type);
            Grid grid = grid(axes);
            long channels = header.dim(0) >= 4 ? header.dim(4) : 1;
            if (channels > Integer.MAX_VALUE) {
                throw refuse("dim[4]", channels, "more channels than can be held");
            }
            double slope = header.real(NiftiField.SCL_SLOPE, 0);
            double intercept = header.real(NiftiField.SCL_INTER, 0);
            boolean scaled = slope != 0 && Double.isFinite(slope);
            if (scaled && !Double.isFinite(intercept)) {
                throw refuse("scl_inter", intercept, "scl_slope is " + slope + ", so the intercept must be finite");
            }
            return new NiftiLayout(
                    axes, grid, (int) channels, type, offset(), bytes, scaled ? slope : 1, scaled ? intercept : 0);
        }

        private NiftiType type() {
            int code = header.datatype();
            NiftiType type = Arrays.stream(NiftiType.values())
                    .filter(t -> t.code() == code)
                    .findFirst()
                    .orElseThrow(() -> refuse(
                            "datatype",
                            code,
                            "(" + NiftiType.nameOf(code) + ") is not a supported type of real numbers"));
            long bitpix = header.integer(NiftiField.BITPIX, 0);
            if (bitpix != type.bytes() * 8L) {
                warnings.add(file + ": bitpix is " + bitpix + ", but datatype " + type + " has " + type.bytes() * 8
                        + " bits; datatype is used");
            }
            return type;
        }

        private int axes() {
            long used = header.dim(0);
            if (used < 1 || used > 7) {
                throw refuse("dim[0]", used, "must be 1 to 7");
            }
            for (int axis = 1; axis <= used; axis++) {
                if (header.dim(axis) < 1) {
                    throw refuse("dim[" + axis + "]", header.dim(axis), "every used axis must have at least 1 voxel");
                }
                if (axis > 4 && header.dim(axis) != 1) {
                    throw refuse("dim[" + axis + "]", header.dim(axis), "only x, y, z and channel may exceed 1");
                }
            }
            if (used == 1) {
                throw refuse("dim[0]", used, "one-dimensional data are not a volume");
            }
            return (int) Math.min(used, 3);
        }

        private long bytes(NiftiType type) {
            long bytes = type.bytes();
            try {
                for (int axis = 1; axis <= header.dim(0); axis++) {
                    bytes = Math.multiplyExact(bytes, header.dim(axis));
                }
            } catch (ArithmeticException e) {
                throw new DataException(file + ": dim " + dims() + " of " + type + " is beyond 64 bits of bytes", e);
            }
            return bytes;
        }

        private Grid grid(int axes) {
            long voxels = 1;
            for (int axis = 1; axis <= axes; axis++) {
                // The product of all axes was checked to fit 64 bits.
                voxels *= header.dim(axis);
            }
            if (voxels > Grid.maxVoxels()) {
                throw new DataException(file + ": dim " + dims() + " has " + voxels + " voxels a channel, more than "
                        + Grid.maxVoxels());
            }
            return new Grid(axes == 3 ? (int) header.dim(3) : 1, (int) header.dim(2), (int) header.dim(1));
        }

        private long offset() {
            double offset = header.real(NiftiField.VOX_OFFSET, 0);
            if (!Double.isFinite(offset) || offset != Math.rint(offset) || offset < 0 || offset > MAX_OFFSET) {
                throw refuse("vox_offset", offset, "must be a whole number of bytes within the file");
            }
            if (!header.isPair() && offset < header.firstDataByte()) {
                throw refuse(
                        "vox_offset", offset, "a single file has its data at " + header.firstDataByte() + " or later");
            }
            return (long) offset;
        }

        private String dims() {
            StringBuilder text = new StringBuilder("[");
            for (int axis = 1; axis <= header.dim(0); axis++) {
                text.append(axis > 1 ? ", " : "").append(header.dim(axis));
            }
            return text.append(']').toString();
        }

        private DataException refuse(String field, Object value, String why) {
            return new DataException(file + ": " + field + " is " + value + ": " + why);
        }
    }
}
