package dev.voxgrad.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.voxgrad.engine.image.Geometry;
import dev.voxgrad.engine.nn.NetworkSpec;
import dev.voxgrad.engine.nn.Networks;
import dev.voxgrad.engine.op.Triple;
import dev.voxgrad.engine.plan.CropBox;
import dev.voxgrad.engine.plan.Plan;
import dev.voxgrad.engine.plan.PreparedCase;
import dev.voxgrad.losses.LabelCounts;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Class weights count the images that the network sees. */
class LabelImagesTest {
    /** Three slices of four voxels; label 1 in one of them. */
    private static final List<PreparedCase> CASES =
            List.of(labelled("a", 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0), labelled("b", 0, 0, 0, 1));

    private static PreparedCase labelled(String id, int... labels) {
        Triple size = new Triple(labels.length / 4, 2, 2);
        byte[] bytes = new byte[labels.length];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) labels[i];
        }
        return new PreparedCase(
                id,
                size,
                1,
                new float[bytes.length],
                bytes,
                List.of(1.0, 1.0, 1.0),
                CropBox.all(size),
                size,
                Geometry.ofSpacing(1, 1, 1),
                Map.of());
    }

    private static LabelCounts counts(Plan plan) {
        return LabelCounts.of(TrainingJob.labelImages(plan, CASES), 2);
    }

    @Test
    void volumesOfA3dPlanAreImages() {
        Plan volumes = new TinyDataset(Path.of("unused")).plan(List.of(8, 8, 8));
        assertThat(counts(volumes)).isEqualTo(new LabelCounts(List.of(13L, 3L), List.of(16L, 16L)));
    }

    @Test
    void slicesOfA2dPlanAreImages() {
        LabelCounts slices = counts(flat());
        assertThat(slices).isEqualTo(new LabelCounts(List.of(13L, 3L), List.of(16L, 8L)));
        // 13/16 and 3/8: label 1 is in two of the four slices.
        double median = (13.0 / 16 + 3.0 / 8) / 2;
        assertThat(slices.medianFrequencyWeights()).containsExactly(median / (13.0 / 16), median / (3.0 / 8));
    }

    private static Plan flat() {
        Plan plan = new TinyDataset(Path.of("unused")).plan(List.of(8, 8, 8));
        List<Integer> square = List.of(1, 3, 3);
        NetworkSpec network = Networks.plainUNet(
                1, 2, List.of(4, 4), List.of(square, square), List.of(List.of(1, 1, 1), List.of(1, 2, 2)), true);
        return plan.with(p -> {
            p.patchSize = List.of(1, 8, 8);
            p.network = network;
        });
    }
}
