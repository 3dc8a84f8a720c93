package dev.voxgrad.engine.infer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.voxgrad.engine.image.NiftiLabels;
import dev.voxgrad.engine.image.NiftiReader;
import dev.voxgrad.engine.nn.Module;
import dev.voxgrad.engine.plan.DatasetFolder;
import dev.voxgrad.engine.plan.Plan;
import dev.voxgrad.engine.plan.Plans;
import dev.voxgrad.engine.plan.RawDataset;
import dev.voxgrad.engine.tensor.Device;
import dev.voxgrad.engine.tensor.Scope;
import dev.voxgrad.engine.tensor.Shape;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PredictorTest {
    /** A classifier of one voxel: background is 1.5 - x, class a is x - 1.5, class b never wins. */
    private static Module threshold(Scope scope) {
        return new Convolution(
                scope.tensor(new Shape(3, 1, 1, 1, 2), new float[] {-1, 0, 1, 0, 0, 0}),
                scope.tensor(Shape.vector(3), new float[] {1.5f, -1.5f, -9}));
    }

    @Test
    void labelsComeBackInTheGeometryOfTheSource(@TempDir Path folder) {
        DatasetFolder data = DatasetFolder.valid(folder);
        float[] image = DatasetFolder.noise(5);
        float[] second = new float[image.length];
        for (int i = 0; i < image.length; i++) {
            boolean inside = i / 56 % 6 > 0 && i / 8 % 7 > 1 && i % 8 < 6;
            image[i] = inside ? image[i] : 0;
            second[i] = inside ? 1 : 0;
        }
        data.image("imagesTr/p_0000.nii.gz", image);
        data.image("imagesTr/p_0001.nii.gz", second);
        Plan plan = Plans.of(List.of(1.0, 1.0, 1.0), List.of(4, 4, 4), Plans.labels("a", "b"), "none", "none");
        Path output = folder.resolve("p.nii.gz");
        try (Device device = Device.cpu();
                Scope scope = device.scope()) {
            Predictor.of(plan, List.of(threshold(scope)), device)
                    .write(RawDataset.open(folder).cases().getFirst(), output, (done, total) -> {});
        }
        NiftiLabels result = NiftiReader.readLabels(output);
        assertThat(result.labels().grid()).isEqualTo(DatasetFolder.GRID);
        assertThat(result.labels().geometry())
                .isEqualTo(NiftiReader.read(folder.resolve("imagesTr/p_0000.nii.gz"))
                        .volume()
                        .geometry());
        for (int i = 0; i < image.length; i++) {
            assertThat(result.labels().label(i)).isEqualTo(image[i] > 1.5f ? 1 : 0);
        }
    }
}
