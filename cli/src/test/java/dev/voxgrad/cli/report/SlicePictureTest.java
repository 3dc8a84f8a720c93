package dev.voxgrad.cli.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.voxgrad.cli.report.SlicePicture.Plane;
import dev.voxgrad.engine.image.Geometry;
import dev.voxgrad.engine.image.Grid;
import dev.voxgrad.engine.image.LabelVolume;
import dev.voxgrad.engine.image.Volume;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;

final class SlicePictureTest {
    private static BufferedImage decode(String address) throws IOException {
        byte[] bytes = Base64.getDecoder().decode(address.substring(address.indexOf(',') + 1));
        return ImageIO.read(new ByteArrayInputStream(bytes));
    }

    @Test
    void aspectFollowsTheSpacingInMillimetres() {
        Grid grid = new Grid(10, 40, 40);
        Volume volume = new Volume(List.of(new float[grid.voxels()]), grid, Geometry.ofSpacing(5, 1, 1));
        SlicePicture coronal = new SlicePicture(volume, Plane.CORONAL, 0);
        assertThat((double) coronal.height() / coronal.width()).isEqualTo(50.0 / 40, within(0.01));
    }

    @Test
    void superiorIsUp() throws IOException {
        Grid grid = new Grid(8, 8, 8);
        float[] image = new float[grid.voxels()];
        // The topmost plane is bright.
        Arrays.fill(image, 7 * 64, 8 * 64, 100f);
        Volume volume = new Volume(List.of(image), grid, Geometry.ofSpacing(1, 1, 1));
        BufferedImage picture = decode(new SlicePicture(volume, Plane.CORONAL, 4).png(Optional.empty()));
        assertThat(picture.getRGB(100, 2) & 0xff).isGreaterThan(200);
        assertThat(picture.getRGB(100, picture.getHeight() - 3) & 0xff).isLessThan(20);
    }

    @Test
    void labelsAreTintedAndTheirBorderIsStronger() throws IOException {
        ReportData.View view = SampleReport.view();
        SlicePicture slice = new SlicePicture(view.image(), Plane.AXIAL, 10);
        BufferedImage picture = decode(slice.png(Optional.of(view.truth())));
        int colour = Palette.of(2);
        int exact = 0;
        for (int y = 0; y < picture.getHeight(); y++) {
            for (int x = 0; x < picture.getWidth(); x++) {
                int difference = Math.abs((picture.getRGB(x, y) & 0xff) - (colour & 0xff))
                        + Math.abs((picture.getRGB(x, y) >> 8 & 0xff) - (colour >> 8 & 0xff));
                exact += difference < 24 ? 1 : 0;
            }
        }
        assertThat(exact).isBetween(200, picture.getWidth() * picture.getHeight() / 10);
    }

    @Test
    void theMostInformativeSliceShowsAllClasses() {
        LabelVolume truth = SampleReport.view().truth();
        assertThat(SlicePicture.mostInformative(truth, Plane.AXIAL)).isBetween(8, 12);
        assertThat(SlicePicture.mostInformative(truth, Plane.CORONAL)).isBetween(12, 16);
        assertThat(SlicePicture.mostInformative(truth, Plane.SAGITTAL)).isBetween(10, 14);
    }
}
