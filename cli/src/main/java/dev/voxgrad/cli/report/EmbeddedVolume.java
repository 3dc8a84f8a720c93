package dev.voxgrad.cli.report;

import dev.voxgrad.cli.report.SlicePicture.Plane;
import dev.voxgrad.engine.image.LabelVolume;
import dev.voxgrad.engine.image.NiftiHeader;
import dev.voxgrad.engine.image.NiftiWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.function.Consumer;

/**
 * The volumes of one case as the viewer takes them: NIfTI files in base64.
 *
 * @param low value that is shown black
 * @param high value that is shown white
 * @param at the voxel z, y, x to look at first
 */
record EmbeddedVolume(String image, String truth, String prediction, float low, float high, List<Integer> at) {
    /** Above this a page would take too long to open; such cases get pictures only. */
    private static final int MAX_VOXELS = 8_000_000;

    static boolean fits(ReportData.View view) {
        return view.image().grid().voxels() <= MAX_VOXELS;
    }

    static EmbeddedVolume of(ReportData.View view) {
        NiftiHeader header =
                NiftiHeader.create(view.image().grid(), view.image().geometry());
        float[] range = SlicePicture.range(view.image().channel(0));
        LabelVolume truth = view.truth();
        return new EmbeddedVolume(
                base64(file -> NiftiWriter.writeFloat(file, List.of(view.image().channel(0)), header)),
                base64(file -> NiftiWriter.writeLabels(file, truth, truth.highestLabel(), header)),
                base64(file -> NiftiWriter.writeLabels(
                        file, view.prediction(), view.prediction().highestLabel(), header)),
                range[0],
                range[1],
                List.of(
                        SlicePicture.mostInformative(truth, Plane.AXIAL),
                        SlicePicture.mostInformative(truth, Plane.CORONAL),
                        SlicePicture.mostInformative(truth, Plane.SAGITTAL)));
    }

    private static String base64(Consumer<Path> write) {
        try {
            Path file = Files.createTempFile("voxgrad-report", ".nii.gz");
            try {
                write.accept(file);
                return Base64.getEncoder().encodeToString(Files.readAllBytes(file));
            } finally {
                Files.delete(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
