package dev.voxgrad.cli.data;

import dev.voxgrad.engine.DataException;
import dev.voxgrad.engine.ShapeException;
import dev.voxgrad.engine.image.Grid;
import dev.voxgrad.engine.image.LabelVolume;
import dev.voxgrad.engine.image.NiftiReader;
import dev.voxgrad.engine.image.Volume;
import java.util.List;
import java.util.function.Consumer;

/**
 * A head with labels: 181 x 181 x 217 voxels (z, y, x order: 181, 217, 181) of 1 mm, x from left to right.
 *
 * @param image intensities, C order z, y, x
 * @param labels 0 to 4, see {@link #LABELS}
 * @param real false for the drawn phantom
 * @param source what it is, for people
 */
record BrainScan(float[] image, short[] labels, boolean real, String source) {
    /** Voxels of the template. */
    static final Grid GRID = new Grid(181, 217, 181);

    /** World coordinates (right, anterior, superior; mm) of voxel 0. */
    static final double[] ORIGIN_MM = {-90, -125, -71};

    /** Names of the labels 0 to 4. */
    static final List<String> LABELS =
            List.of("background", "cortex", "deep grey", "hippocampus and amygdala", "cerebellum");

    /** The grid's regions: 1 to 90 cerebrum, 91 to 116 cerebellum. */
    private static final int REGIONS = 116;

    BrainScan {
        if (image.length != GRID.voxels() || labels.length != GRID.voxels()) {
            throw new ShapeException("brain scan: needs " + GRID.voxels() + " voxels " + GRID);
        }
    }

    /**
     * The real scan if it can be had, else the phantom.
     *
     * @param say hears one line when something takes a while or the phantom is used
     */
    static BrainScan obtain(DebianPackage debian, Consumer<String> say) {
        try {
            if (BrainFiles.find().isEmpty()) {
                say.accept("downloading the Debian package " + BrainFiles.PACKAGE + " (16 MB)");
            }
            return read(BrainFiles.obtain(debian));
        } catch (DebianPackage.NotAvailable e) {
            say.accept("NO REAL SCAN: " + e.getMessage()
                    + ". Using a drawn phantom instead; its numbers say nothing about" + " real images.");
            return Phantom.draw();
        }
    }

    /** The real scan: AAL regions grouped into the four labels; white matter and fluid stay background. */
    static BrainScan read(BrainFiles files) {
        Volume image = NiftiReader.read(files.image()).volume();
        LabelVolume atlas = NiftiReader.readLabels(files.atlas()).labels();
        if (!image.grid().equals(GRID) || !atlas.grid().equals(GRID)) {
            throw new DataException(files.image() + ": shape " + image.grid() + " and atlas " + atlas.grid()
                    + " are not the expected " + GRID);
        }
        short[] labels = new short[GRID.voxels()];
        for (int i = 0; i < labels.length; i++) {
            labels[i] = group(atlas.label(i));
        }
        return new BrainScan(
                image.channel(0),
                labels,
                true,
                "Colin27 T1 MR with the AAL atlas (Debian package " + BrainFiles.PACKAGE + ")");
    }

    /** AAL: 37, 38 hippocampus; 41, 42 amygdala; 71 to 78 caudate, putamen, pallidum, thalamus; 91 and up cerebellum. */
    static short group(int region) {
        if (region == 0 || region > REGIONS) {
            return 0;
        }
        if (region >= 91) {
            return 4;
        }
        if (region == 37 || region == 38 || region == 41 || region == 42) {
            return 3;
        }
        return (short) (region >= 71 && region <= 78 ? 2 : 1);
    }
}
