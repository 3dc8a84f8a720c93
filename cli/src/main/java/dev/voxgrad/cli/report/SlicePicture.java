package dev.voxgrad.cli.report;

import dev.voxgrad.engine.image.Grid;
import dev.voxgrad.engine.image.LabelVolume;
import dev.voxgrad.engine.image.Volume;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import javax.imageio.ImageIO;

/**
 * One slice of a volume as a picture, with or without labels on top. Intensities are interpolated linearly; the border of a
 * class is where its interpolated share falls behind another's, so that it is smooth at any size.
 */
final class SlicePicture {
    /** The longest edge; enough for a phone, small in the file. */
    private static final int EDGE_PIXELS = 420;
    /** Share of the class colour inside its border, and on it. */
    private static final double FILL = 0.28;

    private static final double LINE = 0.95;
    private static final float HEADROOM = 1.15f;
    /** Half the width of the border in pixels. */
    private static final int LINE_PIXELS = 1;

    private final Plane plane;
    private final int index;
    private final Volume volume;
    private final int rows;
    private final int columns;
    private final int height;
    private final int width;
    private final boolean flipRows;
    private final boolean flipColumns;

    SlicePicture(Volume volume, Plane plane, int index) {
        this.volume = volume;
        this.plane = plane;
        this.index = index;
        int[] sizes = volume.grid().sizes();
        double[] spacing = volume.geometry().spacingMm();
        rows = sizes[plane.rowAxis];
        columns = sizes[plane.columnAxis];
        double heightMm = rows * spacing[plane.rowAxis];
        double widthMm = columns * spacing[plane.columnAxis];
        double pixelsPerMm = EDGE_PIXELS / Math.max(heightMm, widthMm);
        height = Math.max(1, (int) Math.round(heightMm * pixelsPerMm));
        width = Math.max(1, (int) Math.round(widthMm * pixelsPerMm));
        // Superior and anterior up; x as stored, so that left and right agree with the viewer's.
        flipRows = volume.geometry().affine(2 - plane.rowAxis, 2 - plane.rowAxis) > 0;
        flipColumns = plane == Plane.SAGITTAL && volume.geometry().affine(1, 1) < 0;
    }

    /** The slice where the most classes, then the most voxels of them, are to be seen. */
    static int mostInformative(LabelVolume labels, Plane plane) {
        Grid grid = labels.grid();
        int slices = grid.sizes()[plane.axis];
        int classes = labels.highestLabel() + 1;
        long[][] counts = new long[slices][classes];
        int[] position = new int[3];
        int i = 0;
        for (position[0] = 0; position[0] < grid.depth(); position[0]++) {
            for (position[1] = 0; position[1] < grid.height(); position[1]++) {
                for (position[2] = 0; position[2] < grid.width(); position[2]++, i++) {
                    counts[position[plane.axis]][labels.label(i)]++;
                }
            }
        }
        int best = slices / 2;
        double bestScore = 0;
        for (int s = 0; s < slices; s++) {
            double score = 0;
            for (int c = 1; c < classes; c++) {
                // The square root keeps a small class from being outvoted by a large one.
                score += Math.sqrt(counts[s][c]);
            }
            if (score > bestScore) {
                bestScore = score;
                best = s;
            }
        }
        return best;
    }

    /** A data address with the picture as PNG. */
    String png(Optional<LabelVolume> labels) {
        float[] range = range(volume.channel(0));
        int[] classes = labels.map(this::classes).orElseGet(() -> new int[height * width]);
        BufferedImage picture = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        for (int r = 0; r < height; r++) {
            for (int c = 0; c < width; c++) {
                double grey = (interpolated(r, c) - range[0]) / (range[1] - range[0]);
                int label = classes[r * width + c];
                double share = label == 0 ? 0 : isBorder(classes, r, c) ? LINE : FILL;
                picture.setRGB(
                        c, r, blend(255 * Math.clamp(grey, 0.0, 1.0), label == 0 ? 0 : Palette.of(label), share));
            }
        }
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try {
            ImageIO.write(picture, "png", bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return "data:image/png;base64," + Base64.getEncoder().encodeToString(bytes.toByteArray());
    }

    int width() {
        return width;
    }

    int height() {
        return height;
    }

    /** Position of a pixel row or column on the voxel axis, in voxels. */
    private static double voxel(int pixel, int pixels, int voxels, boolean flip) {
        double v = (pixel + 0.5) * voxels / pixels - 0.5;
        return Math.clamp(flip ? voxels - 1 - v : v, 0.0, voxels - 1.0);
    }

    private double row(int r) {
        return voxel(r, height, rows, flipRows);
    }

    private double column(int c) {
        return voxel(c, width, columns, flipColumns);
    }

    private int flat(int row, int column) {
        int[] position = new int[3];
        position[plane.axis] = index;
        position[plane.rowAxis] = Math.min(row, rows - 1);
        position[plane.columnAxis] = Math.min(column, columns - 1);
        Grid grid = volume.grid();
        return (position[0] * grid.height() + position[1]) * grid.width() + position[2];
    }

    private double interpolated(int r, int c) {
        double y = row(r);
        double x = column(c);
        int y0 = (int) y;
        int x0 = (int) x;
        float[] image = volume.channel(0);
        double top = image[flat(y0, x0)] * (1 - x + x0) + image[flat(y0, x0 + 1)] * (x - x0);
        double bottom = image[flat(y0 + 1, x0)] * (1 - x + x0) + image[flat(y0 + 1, x0 + 1)] * (x - x0);
        return top * (1 - y + y0) + bottom * (y - y0);
    }

    private int[] classes(LabelVolume labels) {
        int[] classes = new int[height * width];
        for (int r = 0; r < height; r++) {
            double y = row(r);
            int y0 = (int) y;
            for (int c = 0; c < width; c++) {
                double x = column(c);
                int x0 = (int) x;
                int[] corner = {
                    labels.label(flat(y0, x0)),
                    labels.label(flat(y0, x0 + 1)),
                    labels.label(flat(y0 + 1, x0)),
                    labels.label(flat(y0 + 1, x0 + 1))
                };
                double fy = y - y0;
                double fx = x - x0;
                double[] weight = {(1 - fy) * (1 - fx), (1 - fy) * fx, fy * (1 - fx), fy * fx};
                classes[r * width + c] = heaviest(corner, weight);
            }
        }
        return classes;
    }

    private static int heaviest(int[] label, double[] weight) {
        int best = label[0];
        double bestWeight = -1;
        for (int i = 0; i < label.length; i++) {
            double sum = 0;
            for (int j = 0; j < label.length; j++) {
                sum += label[j] == label[i] ? weight[j] : 0;
            }
            if (sum > bestWeight) {
                bestWeight = sum;
                best = label[i];
            }
        }
        return best;
    }

    private boolean isBorder(int[] classes, int r, int c) {
        int own = classes[r * width + c];
        for (int y = Math.max(0, r - LINE_PIXELS); y <= Math.min(height - 1, r + LINE_PIXELS); y++) {
            for (int x = Math.max(0, c - LINE_PIXELS); x <= Math.min(width - 1, c + LINE_PIXELS); x++) {
                if (classes[y * width + x] != own) {
                    return true;
                }
            }
        }
        return false;
    }

    private static int blend(double grey, int colour, double share) {
        int result = 0;
        for (int shift = 16; shift >= 0; shift -= 8) {
            double mixed = (1 - share) * grey + share * ((colour >> shift) & 0xff);
            result |= (int) Math.round(mixed) << shift;
        }
        return result;
    }

    /**
     * Black and white: the smallest value, and a little above the one that 0.5 % of the voxels above the smallest exceed, so that
     * coloured labels stay visible on the brightest tissue.
     */
    static float[] range(float[] image) {
        float[] sorted = image.clone();
        Arrays.sort(sorted);
        float low = sorted[0];
        int first = 0;
        while (first < sorted.length - 1 && sorted[first] == low) {
            first++;
        }
        float high = sorted[first + (int) (0.995 * (sorted.length - 1 - first))];
        return new float[] {low, high > low ? low + (high - low) * HEADROOM : low + 1};
    }

    /** The three ways to cut; axes are 0 = z, 1 = y, 2 = x. */
    enum Plane {
        AXIAL("axial", 0, 1, 2),
        CORONAL("coronal", 1, 0, 2),
        SAGITTAL("sagittal", 2, 0, 1);

        final String title;
        final int axis;
        final int rowAxis;
        final int columnAxis;

        Plane(String title, int axis, int rowAxis, int columnAxis) {
            this.title = title;
            this.axis = axis;
            this.rowAxis = rowAxis;
            this.columnAxis = columnAxis;
        }

        String axisName() {
            return List.of("z", "y", "x").get(axis);
        }
    }
}
