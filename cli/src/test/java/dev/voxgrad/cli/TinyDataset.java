package dev.voxgrad.cli;

import dev.voxgrad.engine.image.Geometry;
import dev.voxgrad.engine.image.Grid;
import dev.voxgrad.engine.image.LabelVolume;
import dev.voxgrad.engine.image.NiftiHeader;
import dev.voxgrad.engine.image.NiftiWriter;
import dev.voxgrad.engine.nn.NetworkSpec;
import dev.voxgrad.engine.nn.Networks;
import dev.voxgrad.engine.plan.Outputs;
import dev.voxgrad.engine.plan.Plan;
import dev.voxgrad.engine.plan.Training;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** A data set of two small cases with one channel and one label, and a plan that trains on it in a second. */
record TinyDataset(Path folder) {
    static final Grid GRID = new Grid(8, 9, 10);
    static final List<String> CASES = List.of("p", "q");

    /** Writes a valid one, with the test cases p and q as well. */
    static TinyDataset valid(Path folder) {
        TinyDataset data = new TinyDataset(folder);
        data.text("dataset.json", description(CASES.size()));
        for (String id : CASES) {
            data.image("imagesTr/" + id + "_0000.nii.gz", image(id.hashCode()));
            data.labels("labelsTr/" + id + ".nii.gz", labels(1), GRID);
            data.image("imagesTs/" + id + "_0000.nii.gz", image(id.hashCode() + 1));
        }
        data.plan(List.of(8, 8, 8)).write(data.planFile());
        return data;
    }

    /**
     * Writes training cases whose bright planes are label 1 in one half and 2 in the other. The first plane is label 3 and as bright as 2:
     * a loss that looks there learns that this is background.
     */
    void halvesWithPlaneToIgnore() {
        int plane = GRID.height() * GRID.width();
        for (String id : CASES) {
            short[] truth = labels(1);
            Random random = new Random(id.hashCode());
            float[] image = new float[truth.length];
            for (int i = 0; i < truth.length; i++) {
                truth[i] *= i % plane < plane / 2 ? 1 : 2;
                image[i] = truth[i] + random.nextFloat() / 2;
            }
            for (int i = 0; i < plane; i++) {
                image[i] += 2;
                truth[i] = 3;
            }
            image("imagesTr/" + id + "_0000.nii.gz", image);
            labels("labelsTr/" + id + ".nii.gz", truth, GRID);
        }
    }

    static String description(int numTraining) {
        return "{\"channel_names\": {\"0\": \"T1\"}, \"labels\": {\"background\": 0, \"lesion\": 1}, \"numTraining\": "
                + numTraining + ", \"file_ending\": \".nii.gz\"}";
    }

    Path planFile() {
        return folder.resolve("plan.json");
    }

    Plan plan(List<Integer> patch) {
        NetworkSpec network =
                Networks.plainUNet(1, 2, List.of(4, 4), Networks.cubes(3, 3, 2), Networks.halvings(3, 2), true);
        Training training = Training.standard().with(t -> {
            t.optimizer = "adamw";
            t.learningRate = 1e-3;
            t.momentum = 0.9;
            t.weightDecay = 0;
            t.epochs = 1;
            t.iterationsPerEpoch = 2;
            t.validationIterations = 1;
            t.mirrorAxes = List.of();
            t.checkpointEvery = 1;
            t.seed = 1;
        });
        Map<String, Integer> labels = new LinkedHashMap<>();
        labels.put("background", 0);
        labels.put("lesion", 1);
        return new Plan(
                Plan.FORMAT_VERSION,
                "tiny",
                List.of("T1"),
                List.of("zscore"),
                labels,
                List.of(1.0, 1.0, 1.0),
                patch,
                2,
                network,
                training,
                Outputs.SOFTMAX,
                List.of());
    }

    Path path(String name) {
        return folder.resolve(name);
    }

    void text(String name, String text) {
        try {
            Files.createDirectories(path(name).getParent());
            Files.writeString(path(name), text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    void image(String name, float[] values) {
        text(name, "");
        NiftiWriter.writeFloat(path(name), List.of(values), header(GRID));
    }

    void labels(String name, short[] labels, Grid grid) {
        text(name, "");
        NiftiWriter.writeLabels(
                path(name), new LabelVolume(labels, grid, Geometry.ofSpacing(1, 1, 1)), 255, header(grid));
    }

    private static NiftiHeader header(Grid grid) {
        return NiftiHeader.create(grid, Geometry.ofSpacing(1, 1, 1));
    }

    /** Noise with a bright middle. */
    static float[] image(long seed) {
        Random random = new Random(seed);
        short[] labels = labels(1);
        float[] x = new float[GRID.voxels()];
        for (int i = 0; i < x.length; i++) {
            x[i] = 1 + labels[i] + random.nextFloat();
        }
        return x;
    }

    /** The middle planes have the value. */
    static short[] labels(int value) {
        short[] labels = new short[GRID.voxels()];
        int plane = GRID.height() * GRID.width();
        for (int i = 3 * plane; i < 5 * plane; i++) {
            labels[i] = (short) value;
        }
        return labels;
    }
}
