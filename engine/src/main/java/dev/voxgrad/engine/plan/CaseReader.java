package dev.voxgrad.engine.plan;

import dev.voxgrad.engine.DataException;
import dev.voxgrad.engine.image.Geometry;
import dev.voxgrad.engine.image.Grid;
import dev.voxgrad.engine.image.LabelVolume;
import dev.voxgrad.engine.image.NiftiImage;
import dev.voxgrad.engine.image.NiftiLabels;
import dev.voxgrad.engine.image.NiftiReader;
import dev.voxgrad.engine.image.Volume;
import dev.voxgrad.engine.op.Triple;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;

/** Reads the files of a case and checks that they fit each other and the task; what is wrong is collected, not thrown one by one. */
final class CaseReader {
    private static final double RELATIVE = 1e-5;
    private static final double ABSOLUTE = 1e-8;

    private final List<String> channelNames;
    private final LabelNames names;
    private final List<String> errors = new ArrayList<>();
    private final List<String> warnings = new ArrayList<>();

    CaseReader(List<String> channelNames, LabelNames names) {
        this.channelNames = channelNames;
        this.names = names;
    }

    List<String> errors() {
        return errors;
    }

    List<String> warnings() {
        return warnings;
    }

    /** Reads a case; empty if there were errors. */
    Optional<Preprocessor.Source> read(Case source) {
        int before = errors.size();
        List<float[]> channels = new ArrayList<>();
        Optional<Volume> first = Optional.empty();
        for (Path file : source.imageFiles()) {
            try {
                NiftiImage image = NiftiReader.read(file);
                Volume volume = image.volume();
                image.warnings().forEach(w -> warnings.add(named(file, w)));
                channels.addAll(volume.channels());
                requireFinite(file, volume);
                if (first.isPresent()) {
                    requireSameGrid(
                            source.imageFiles().getFirst(),
                            first.get().grid(),
                            first.get().geometry(),
                            file,
                            volume.grid(),
                            volume.geometry());
                } else {
                    first = Optional.of(volume);
                }
            } catch (DataException e) {
                errors.add(e.getMessage());
            }
        }
        if (first.isEmpty()) {
            return Optional.empty();
        }
        if (channels.size() != channelNames.size()) {
            errors.add(source.id() + ": expected " + channelNames.size() + " channels " + channelNames + ", got "
                    + channels.size() + " from " + source.imageFiles());
        }
        Optional<short[]> labels = Optional.empty();
        if (source.labelFile().isPresent()) {
            labels = labels(source.labelFile().get(), source.imageFiles().getFirst(), first.get());
        }
        if (errors.size() > before) {
            return Optional.empty();
        }
        Grid grid = first.get().grid();
        return Optional.of(new Preprocessor.Source(
                source.id(),
                channels,
                new Triple(grid.depth(), grid.height(), grid.width()),
                first.get().geometry(),
                labels));
    }

    private Optional<short[]> labels(Path file, Path imageFile, Volume image) {
        try {
            NiftiLabels read = NiftiReader.readLabels(file);
            LabelVolume volume = read.labels();
            read.warnings().forEach(w -> warnings.add(named(file, w)));
            requireSameGrid(imageFile, image.grid(), image.geometry(), file, volume.grid(), volume.geometry());
            requireDeclared(file, volume.labels());
            return Optional.of(volume.labels());
        } catch (DataException e) {
            errors.add(e.getMessage());
            return Optional.empty();
        }
    }

    private void requireFinite(Path file, Volume volume) {
        if (volume.nanCount() + volume.infCount() > 0) {
            errors.add(file + ": holds " + volume.nanCount() + " NaN and " + volume.infCount()
                    + " infinite voxels; replace them before use");
        }
    }

    private void requireSameGrid(Path a, Grid gridA, Geometry geometryA, Path b, Grid gridB, Geometry geometryB) {
        if (!gridA.equals(gridB)) {
            errors.add(b + ": shape " + gridB + " differs from shape " + gridA + " of " + a
                    + "; all files of a case need the same grid, resample one of them");
        } else if (!close(geometryA.spacingMm(), geometryB.spacingMm())) {
            errors.add(b + ": spacing " + Arrays.toString(geometryB.spacingMm()) + " mm differs from spacing "
                    + Arrays.toString(geometryA.spacingMm()) + " mm of " + a + "; correct the header or resample");
        } else if (!close(geometryA.affine(), geometryB.affine())) {
            warnings.add(b + ": affine " + Arrays.toString(geometryB.affine()) + " differs from affine "
                    + Arrays.toString(geometryA.affine()) + " of " + a + "; check that the files show the same place");
        }
    }

    private static boolean close(double[] a, double[] b) {
        for (int i = 0; i < a.length; i++) {
            if (!(Math.abs(a[i] - b[i]) <= ABSOLUTE + RELATIVE * Math.abs(b[i]))) {
                return false;
            }
        }
        return true;
    }

    private void requireDeclared(Path file, short[] labels) {
        TreeSet<Integer> found = new TreeSet<>();
        int last = -1;
        for (short value : labels) {
            int label = Short.toUnsignedInt(value);
            if (label != last) {
                found.add(label);
                last = label;
            }
        }
        if (!names.byName().values().containsAll(found)) {
            errors.add(file + ": expected label values out of "
                    + new TreeSet<>(names.byName().values()) + " " + names.byName() + ", found " + found
                    + "; declare them in dataset.json or correct the file");
        } else if (found.equals(new TreeSet<>(List.of(0)))) {
            warnings.add(file + ": holds only background");
        }
    }

    private static String named(Path file, String warning) {
        return warning.contains(file.toString()) ? warning : file + ": " + warning;
    }

    static List<Double> spacing(Geometry geometry) {
        double[] mm = geometry.spacingMm();
        return List.of(mm[0], mm[1], mm[2]);
    }

    /** One message for all errors: one line for one error, else a line for each. */
    static DataException failure(String what, List<String> errors) {
        String text =
                errors.size() == 1 ? errors.getFirst() : errors.size() + " problems\n  " + String.join("\n  ", errors);
        return new DataException(text.startsWith(what) ? text : what + ": " + text);
    }
}
