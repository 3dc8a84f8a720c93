package dev.voxgrad.engine.metric;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Size of the surface element at a corner point of the voxel grid, by the code of the voxels around it: in volumes the bits 128 64 32
 * 16 8 4 2 1 stand for the 2 x 2 x 2 voxels in row-major order, in pictures 8 4 2 1 for 2 x 2. The triangles of the volume table are
 * those of the surface-distance package (Apache License 2.0).
 */
final class SurfelTable {
    private static final String RESOURCE = "surfel-normals.txt";
    private static final int CODES = 256;

    /** The resource counts in eighths of a unit voxel. */
    private static final double UNIT = 1.0 / 8;

    /** [code][triangle * 3 + axis], area-weighted normals for unit voxels. */
    private static final double[][] NORMALS = read();

    private SurfelTable() {}

    private static double[][] read() {
        double[][] normals = new double[CODES][];
        try (InputStream in = SurfelTable.class.getResourceAsStream(RESOURCE)) {
            if (in == null) {
                throw new IllegalStateException(RESOURCE + " is missing beside " + SurfelTable.class.getName());
            }
            new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))
                    .lines()
                    .filter(line -> !line.startsWith("#"))
                    .map(line -> Arrays.stream(line.split(" ", -1))
                            .mapToInt(Integer::parseInt)
                            .toArray())
                    .forEach(row -> normals[row[0]] = Arrays.stream(row, 1, row.length)
                            .mapToDouble(eighths -> eighths * UNIT)
                            .toArray());
            return normals;
        } catch (IOException e) {
            throw new UncheckedIOException(RESOURCE, e);
        }
    }

    /** Normals of a code, three numbers a triangle. */
    static double[] normals(int code) {
        return NORMALS[code].clone();
    }

    /** Area in mm^2 by code, for a spacing z, y, x: stretching a voxel scales each component by the other two spacings. */
    static double[] areas(double... spacing) {
        double z = spacing[1] * spacing[2];
        double y = spacing[0] * spacing[2];
        double x = spacing[0] * spacing[1];
        double[] areas = new double[CODES];
        for (int code = 0; code < CODES; code++) {
            double[] n = NORMALS[code];
            for (int i = 0; i < n.length; i += 3) {
                areas[code] +=
                        Math.sqrt(n[i] * z * n[i] * z + n[i + 1] * y * n[i + 1] * y + n[i + 2] * x * n[i + 2] * x);
            }
        }
        return areas;
    }

    /** Length in mm by code, for a spacing y, x. */
    static double[] lengths(double y, double x) {
        double half = 0.5 * Math.sqrt(y * y + x * x);
        double[] lengths = new double[1 << 4];
        for (int code = 1; code < lengths.length - 1; code++) {
            lengths[code] = switch (code) {
                case 3, 12 -> x; // a row is set
                case 5, 10 -> y; // a column is set
                case 6, 9 -> 2 * half; // a diagonal: two corners
                default -> half; // one corner set or missing
            };
        }
        return lengths;
    }
}
