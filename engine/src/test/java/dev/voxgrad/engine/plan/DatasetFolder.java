package dev.voxgrad.engine.plan;

import dev.voxgrad.engine.image.Geometry;
import dev.voxgrad.engine.image.Grid;
import dev.voxgrad.engine.image.LabelVolume;
import dev.voxgrad.engine.image.NiftiHeader;
import dev.voxgrad.engine.image.NiftiWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;

/** Writes small data sets for tests. */
public record DatasetFolder(Path folder) {
    /** The size of its cases, z, y, x. */
    public static final Grid GRID = new Grid(6, 7, 8);

    /** A valid data set with two channels, the labels a and b, and the cases p and q. */
    public static DatasetFolder valid(Path folder) {
        DatasetFolder data = new DatasetFolder(folder);
        data.description(2, "");
        for (String id : List.of("p", "q")) {
            data.image("imagesTr/" + id + "_0000.nii.gz", noise(id.hashCode()));
            data.image("imagesTr/" + id + "_0001.nii.gz", noise(id.hashCode() + 1));
            data.labels("labelsTr/" + id + ".nii.gz", blocks());
        }
        return data;
    }

    /** Writes dataset.json; more is inserted at its end. */
    public void description(int numTraining, String more) {
        text(
                "dataset.json",
                "{\"channel_names\": {\"0\": \"T1\", \"1\": \"T2\"}, \"labels\": {\"background\": 0, \"a\": 1, \"b\": 2},"
                        + " \"numTraining\": " + numTraining + ", \"file_ending\": \".nii.gz\"" + more + "}");
    }

    /** Writes a text file. */
    public void text(String name, String text) {
        try {
            Files.createDirectories(folder.resolve(name).getParent());
            Files.writeString(folder.resolve(name), text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Writes an image of the usual size at 1 mm. */
    public void image(String name, float[] values) {
        image(name, values, GRID, Geometry.ofSpacing(1, 1, 1));
    }

    /** Writes an image. */
    public void image(String name, float[] values, Grid grid, Geometry geometry) {
        text(name, "");
        NiftiWriter.writeFloat(folder.resolve(name), List.of(values), NiftiHeader.create(grid, geometry));
    }

    /** Writes labels of the usual size at 1 mm. */
    public void labels(String name, short[] labels) {
        labels(name, labels, GRID, Geometry.ofSpacing(1, 1, 1));
    }

    /** Writes labels. */
    public void labels(String name, short[] labels, Grid grid, Geometry geometry) {
        text(name, "");
        NiftiWriter.writeLabels(
                folder.resolve(name), new LabelVolume(labels, grid, geometry), 255, NiftiHeader.create(grid, geometry));
    }

    /** Deletes a file. */
    public void delete(String name) {
        try {
            Files.delete(folder.resolve(name));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Random values of the usual size, all positive. */
    public static float[] noise(long seed) {
        Random random = new Random(seed);
        float[] x = new float[GRID.voxels()];
        for (int i = 0; i < x.length; i++) {
            x[i] = 1 + random.nextFloat();
        }
        return x;
    }

    /** Labels 0, 1, 2 in slabs along z. */
    public static short[] blocks() {
        short[] labels = new short[GRID.voxels()];
        for (int i = 0; i < labels.length; i++) {
            labels[i] = (short) (i / (2 * GRID.height() * GRID.width()));
        }
        return labels;
    }
}
