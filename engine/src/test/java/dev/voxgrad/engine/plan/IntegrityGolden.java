package dev.voxgrad.engine.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.voxgrad.engine.DataException;
import dev.voxgrad.engine.image.Geometry;
import dev.voxgrad.engine.image.Grid;
import dev.voxgrad.golden.GoldenCase;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;

/** Golden handler of the checks of a data set: what the reference refuses is refused, with the file or key in the message. */
final class IntegrityGolden {
    private IntegrityGolden() {}

    static void check(GoldenCase golden) throws IOException {
        Path folder = Files.createTempDirectory("voxgrad-integrity");
        try {
            write(golden, new DatasetFolder(folder));
            if (golden.expect().get("reference_refuses").asBoolean()) {
                assertThatThrownBy(() -> RawDataset.open(folder).check())
                        .as(golden.name())
                        .isInstanceOf(DataException.class)
                        .hasMessageContaining(folder.toString());
                return;
            }
            List<String> warnings = RawDataset.open(folder).check().warnings();
            // Beyond the reference, a label without an image is a warning too.
            boolean expected = golden.expect().get("reference_warns").asBoolean()
                    || golden.id().endsWith("label_without_image");
            assertThat(!warnings.isEmpty()).as(golden.name() + " " + warnings).isEqualTo(expected);
        } finally {
            try (Stream<Path> files = Files.walk(folder)) {
                for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                    Files.delete(file);
                }
            }
        }
    }

    private static void write(GoldenCase golden, DatasetFolder data) {
        data.text("dataset.json", golden.params().get("dataset.json").toString());
        golden.params().get("files").propertyStream().forEach(entry -> {
            JsonNode file = entry.getValue();
            JsonNode shape = file.get("shape_xyz");
            JsonNode spacing = file.get("spacing_xyz");
            Grid grid = new Grid(
                    shape.get(2).asInt(), shape.get(1).asInt(), shape.get(0).asInt());
            double[] mm = {
                spacing.get(2).asDouble(),
                spacing.get(1).asDouble(),
                spacing.get(0).asDouble()
            };
            double[] affine = Geometry.ofSpacing(mm).affine();
            for (int axis = 0; axis < 3; axis++) {
                affine[4 * axis + 3] = file.get("origin").get(axis).asDouble();
            }
            data.image(entry.getKey(), values(golden, file.get("values"), grid), grid, new Geometry(mm, affine));
        });
    }

    /** Null: noise; one value: noise with that value in one voxel; several: repeated. */
    private static float[] values(GoldenCase golden, JsonNode values, Grid grid) {
        Random random = new Random(1);
        float[] x = new float[grid.voxels()];
        for (int i = 0; i < x.length; i++) {
            x[i] = (float) random.nextGaussian();
            if (!values.isNull() && (values.size() > 1 || i == 7)) {
                x[i] = (float) golden.number(values.get(i % values.size()), "values");
            }
        }
        return x;
    }
}
