package dev.voxgrad.engine.image;

import dev.voxgrad.engine.DataException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * The geometry a header describes. The affine is the sform when its code is set, else the qform, else the spacing with x
 * pointing left and the volume centred on the origin. Spacing comes from pixdim, not from the affine.
 */
final class NiftiTransform {
    /** 1 - b² - c² - d² below this counts as 0: three times the rounding of the stored precision. */
    private static final double QUATERN_ROUNDING_1 = 3 * 0x1p-23;

    private static final double QUATERN_ROUNDING_2 = 3 * 0x1p-52;
    /** A 2D image gets this multiple of its larger in-plane spacing between slices, so that no plan mixes slices. */
    private static final double SLICE_SPACING_FACTOR = 999;

    private static final double SPACING_TOLERANCE = 1e-3;

    private final Path file;
    private final NiftiHeader header;
    private final NiftiLayout layout;
    private final List<String> warnings;

    private NiftiTransform(Path file, NiftiHeader header, NiftiLayout layout, List<String> warnings) {
        this.file = file;
        this.header = header;
        this.layout = layout;
        this.warnings = warnings;
    }

    static Geometry of(Path file, NiftiHeader header, NiftiLayout layout, List<String> warnings) {
        return new NiftiTransform(file, header, layout, warnings).geometry();
    }

    private Geometry geometry() {
        double[] affine = sform().or(this::qform).orElseGet(this::centred);
        Geometry geometry = new Geometry(spacingMm(), affine);
        for (int axis = 0; axis < layout.axes(); axis++) {
            double spacing = pixdim(axis);
            double length = geometry.columnLength(axis);
            if (Math.abs(length - spacing) > SPACING_TOLERANCE * spacing) {
                warnings.add(file + ": pixdim[" + (axis + 1) + "] is " + spacing
                        + " but the affine has a voxel size of " + length + " on this axis; pixdim is used");
            }
        }
        return geometry;
    }

    private double[] spacingMm() {
        double unit = unitMm();
        double x = pixdim(0) * unit;
        double y = pixdim(1) * unit;
        double z = layout.axes() == 3 ? pixdim(2) * unit : SLICE_SPACING_FACTOR * Math.max(x, y);
        if (!(Math.min(z, Math.min(y, x)) > 0) || !Double.isFinite(x + y + z)) {
            throw new DataException(
                    file + ": pixdim " + header.pixdim(1) + ", " + header.pixdim(2) + ", " + header.pixdim(3)
                            + " and xyzt_units " + header.xyztUnits() + " give no usable spacing in millimetres");
        }
        return new double[] {z, y, x};
    }

    private double unitMm() {
        int code = header.xyztUnits() & 7;
        return switch (code) {
            case 1 -> 1000;
            case 0, 2 -> 1;
            case 3 -> 0.001;
            default -> {
                warnings.add(file + ": xyzt_units is " + header.xyztUnits() + ", whose spatial unit " + code
                        + " is undefined; millimetres are assumed");
                yield 1;
            }
        };
    }

    /** Size of a voxel in the unit of the file; {@code axis} 0 is x. An axis that is not used may hold anything. */
    private double pixdim(int axis) {
        double size = Math.abs(header.pixdim(axis + 1));
        return axis < layout.axes() || (size > 0 && Double.isFinite(size)) ? size : 1;
    }

    private Optional<double[]> sform() {
        if (header.sformCode() == 0) {
            return Optional.empty();
        }
        double[] affine = new double[16];
        for (int i = 0; i < 12; i++) {
            affine[i] = header.real(NiftiField.SROW, i);
        }
        affine[15] = 1;
        return finite(affine, "sform");
    }

    private Optional<double[]> qform() {
        if (header.qformCode() == 0) {
            return Optional.empty();
        }
        double b = header.real(NiftiField.QUATERN, 0);
        double c = header.real(NiftiField.QUATERN, 1);
        double d = header.real(NiftiField.QUATERN, 2);
        double square = 1 - (b * b + c * c + d * d);
        double rounding = header.version() == 1 ? QUATERN_ROUNDING_1 : QUATERN_ROUNDING_2;
        if (square <= -rounding) {
            warnings.add(file + ": quatern " + b + ", " + c + ", " + d + " is longer than 1; the qform is ignored");
            return Optional.empty();
        }
        double a = square < rounding ? 0 : Math.sqrt(square);
        // Rounding leaves the length slightly off 1 when a is set to 0.
        double s = 2 / (a * a + b * b + c * c + d * d);
        double[] rotation = {
            1 - s * (c * c + d * d),
            s * (b * c - a * d),
            s * (b * d + a * c),
            s * (b * c + a * d),
            1 - s * (b * b + d * d),
            s * (c * d - a * b),
            s * (b * d - a * c),
            s * (c * d + a * b),
            1 - s * (b * b + c * c)
        };
        double handedness = header.pixdim(0) < 0 ? -1 : 1;
        double[] affine = new double[16];
        for (int row = 0; row < 3; row++) {
            for (int axis = 0; axis < 3; axis++) {
                affine[row * 4 + axis] = rotation[row * 3 + axis] * pixdim(axis) * (axis == 2 ? handedness : 1);
            }
            affine[row * 4 + 3] = header.real(NiftiField.QUATERN, 3 + row);
        }
        affine[15] = 1;
        return finite(affine, "qform");
    }

    private Optional<double[]> finite(double[] affine, String name) {
        for (double value : affine) {
            if (!Double.isFinite(value)) {
                warnings.add(file + ": the " + name + " holds " + value + " and is ignored");
                return Optional.empty();
            }
        }
        return Optional.of(affine);
    }

    private double[] centred() {
        int[] sizes = layout.grid().sizes();
        double[] affine = new double[16];
        for (int axis = 0; axis < 3; axis++) {
            double step = axis == 0 ? -pixdim(axis) : pixdim(axis);
            affine[axis * 5] = step;
            affine[axis * 4 + 3] = -step * (sizes[2 - axis] - 1) / 2;
        }
        affine[15] = 1;
        return affine;
    }
}
