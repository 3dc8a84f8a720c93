package dev.voxgrad.cli.data;

import dev.voxgrad.engine.AtomicFile;
import dev.voxgrad.engine.image.NiftiHeader;
import dev.voxgrad.engine.image.NiftiWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * A raw data set in nnU-Net's layout with the two hemispheres of one head: the left one for training, the right one, which a
 * network never saw, for the test ({@code imagesTs}, {@code labelsTs}).
 *
 * @param folder of the data set
 * @param real false when the phantom stands in for the scan
 * @param source what the images are
 */
public record BrainDataset(Path folder, boolean real, String source) {
    /** Name of the data set's folder. */
    public static final String NAME = "Dataset001_BrainHemispheres";

    /** Name of the training case. */
    public static final String TRAINING_CASE = "hemisphere_left_mirrored";

    /** Name of the test case. */
    public static final String TEST_CASE = "hemisphere_right";

    /**
     * Writes the data set; the same input gives the same bytes.
     *
     * @param parent folder that gets the data set's folder
     * @param blockMm edge of a voxel in mm: 1, 2 or 3
     * @param phantom true to draw the phantom without looking for the scan
     * @param say hears what takes a while
     */
    public static BrainDataset write(
            Path parent, int blockMm, boolean phantom, DebianPackage debian, Consumer<String> say) {
        BrainScan scan = phantom ? Phantom.draw() : BrainScan.obtain(debian, say);
        Path folder = parent.resolve(NAME);
        writeCase(folder, "Tr", TRAINING_CASE, Hemisphere.left(scan, blockMm));
        writeCase(folder, "Ts", TEST_CASE, Hemisphere.right(scan, blockMm));
        AtomicFile.write(folder.resolve("dataset.json"), description(scan).getBytes(StandardCharsets.UTF_8));
        return new BrainDataset(folder, scan.real(), scan.source());
    }

    private static void writeCase(Path folder, String part, String name, Hemisphere half) {
        NiftiHeader header =
                NiftiHeader.create(half.image().grid(), half.image().geometry());
        Path images = newFolder(folder.resolve("images" + part));
        Path labels = newFolder(folder.resolve("labels" + part));
        NiftiWriter.writeFloat(
                images.resolve(name + "_0000.nii.gz"), half.image().channels(), header);
        NiftiWriter.writeLabels(labels.resolve(name + ".nii.gz"), half.labels(), BrainScan.LABELS.size() - 1, header);
    }

    private static Path newFolder(Path folder) {
        try {
            return Files.createDirectories(folder);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String description(BrainScan scan) {
        Map<String, Integer> labels = new LinkedHashMap<>();
        BrainScan.LABELS.forEach(name -> labels.put(name, labels.size()));
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("name", "BrainHemispheres");
        json.put("description", scan.source() + ": the mirrored left hemisphere trains, the right one tests");
        json.put(
                "licence",
                scan.real()
                        ? "BSD-3-Clause as packaged by Debian; Colin27 (C) McConnell Brain Imaging Centre, MNI"
                        : "none");
        json.put("channel_names", Map.of("0", "T1"));
        json.put("labels", labels);
        json.put("numTraining", 1);
        json.put("file_ending", ".nii.gz");
        return JsonMapper.builder()
                        .enable(SerializationFeature.INDENT_OUTPUT)
                        .build()
                        .writeValueAsString(json)
                + "\n";
    }
}
