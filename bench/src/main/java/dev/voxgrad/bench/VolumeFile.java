package dev.voxgrad.bench;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;

/** The file of a run in the folder for temporary files: what it reads is there from the start, what it writes is not. */
final class VolumeFile implements AutoCloseable {
    private final Path folder;
    private final Path path;

    VolumeFile(VolumeProblem problem) {
        try {
            folder = Files.createTempDirectory("voxgrad-bench");
            path = folder.resolve(problem.work() == VolumeProblem.Work.PREPROCESS ? "image_0000.nii" : "image.nii.gz");
            if (problem.work() == VolumeProblem.Work.PREPROCESS || problem.work() == VolumeProblem.Work.LOAD) {
                try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(path));
                        OutputStream packed = path.toString().endsWith(".gz") ? new GZIPOutputStream(out) : out) {
                    problem.writeImage(packed);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    Path path() {
        return path;
    }

    /** The labels of 8 bit in the compressed file, read without voxgrad. */
    float[] labels() {
        try (InputStream in = new GZIPInputStream(Files.newInputStream(path))) {
            in.skipNBytes(VolumeProblem.HEADER_BYTES);
            byte[] bytes = in.readAllBytes();
            float[] labels = new float[bytes.length];
            for (int i = 0; i < labels.length; i++) {
                labels[i] = Byte.toUnsignedInt(bytes[i]);
            }
            return labels;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        try {
            Files.deleteIfExists(path);
            Files.deleteIfExists(folder);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
