package dev.voxgrad.bench;

import java.io.BufferedOutputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.ShortBuffer;
import java.nio.file.Files;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;

/** Files through the JDK's own gzip streams and nothing else: what reading and writing a NIfTI file costs at least in plain Java. */
final class Jdk implements Side {
    private static final int BUFFER_BYTES = 1 << 16;

    @Override
    public String name() {
        return "jdk";
    }

    @Override
    public String version() {
        return "JDK " + System.getProperty("java.version");
    }

    /** Its streams have one thread each. */
    @Override
    public void threads(int count) {}

    @Override
    public List<String> settings(Problem problem, Direction direction) {
        if (problem instanceof VolumeProblem volume) {
            return switch (volume.work()) {
                case LOAD -> List.of("GZIPInputStream");
                case SAVE -> List.of("GZIPOutputStream level 6");
                case LINEAR, CUBIC, PREPROCESS -> List.of();
            };
        }
        return List.of();
    }

    @Override
    public Run open(Problem problem, Direction direction, String setting) {
        VolumeProblem volume = (VolumeProblem) problem;
        VolumeFile file = new VolumeFile(volume);
        return volume.work() == VolumeProblem.Work.LOAD ? new Load(volume, file) : new Save(volume, file);
    }

    /** Decompresses the whole file and turns its voxels into floats. */
    private record Load(VolumeProblem problem, VolumeFile file) implements Run {
        @Override
        public Map<String, float[]> answer() {
            try (InputStream in = new GZIPInputStream(Files.newInputStream(file.path()), BUFFER_BYTES)) {
                in.skipNBytes(VolumeProblem.HEADER_BYTES);
                byte[] bytes = in.readNBytes(problem.voxels() * Short.BYTES);
                ShortBuffer shorts =
                        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asShortBuffer();
                float[] voxels = new float[problem.voxels()];
                for (int i = 0; i < voxels.length; i++) {
                    voxels[i] = shorts.get(i);
                }
                return Map.of("voxels", voxels);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Override
        public double milliseconds() {
            long start = System.nanoTime();
            Map<String, float[]> read = answer();
            double ms = (System.nanoTime() - start) / 1e6;
            assert !read.isEmpty();
            return ms;
        }

        @Override
        public void close() {
            file.close();
        }
    }

    /** Compresses header and labels; like voxgrad's, the file is on the disk at the end. */
    private static final class Save implements Run {
        private final VolumeFile file;
        private final byte[] header;
        private final short[] labels;

        Save(VolumeProblem problem, VolumeFile file) {
            this.file = file;
            header = problem.header().bytes();
            labels = problem.labels();
        }

        @Override
        public Map<String, float[]> answer() {
            milliseconds();
            return Map.of("voxels", file.labels());
        }

        @Override
        public double milliseconds() {
            long start = System.nanoTime();
            try (FileOutputStream out = new FileOutputStream(file.path().toFile());
                    OutputStream gzip = new Level6(new BufferedOutputStream(out, BUFFER_BYTES))) {
                gzip.write(header);
                gzip.write(new byte[VolumeProblem.HEADER_BYTES - header.length]);
                byte[] chunk = new byte[BUFFER_BYTES];
                for (int first = 0; first < labels.length; first += chunk.length) {
                    int count = Math.min(chunk.length, labels.length - first);
                    for (int i = 0; i < count; i++) {
                        chunk[i] = (byte) labels[first + i];
                    }
                    gzip.write(chunk, 0, count);
                }
                ((GZIPOutputStream) gzip).finish();
                gzip.flush();
                out.getFD().sync();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            return (System.nanoTime() - start) / 1e6;
        }

        @Override
        public void close() {
            file.close();
        }
    }

    /** The level that every NIfTI tool writes. */
    private static final class Level6 extends GZIPOutputStream {
        Level6(OutputStream out) throws IOException {
            super(out, BUFFER_BYTES);
            def.setLevel(6);
        }
    }
}
