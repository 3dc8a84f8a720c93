package dev.voxgrad.engine.plan;

import static org.assertj.core.api.Assertions.assertThat;

import dev.voxgrad.engine.op.Triple;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class PlannerTest {
    private static DatasetDescription description(String... channels) {
        return new DatasetDescription(
                Path.of("dataset.json"),
                List.of(channels),
                new LabelNames(Plans.labels("a", "b")),
                10,
                ".nii.gz",
                Map.of());
    }

    @Test
    void regionsGetAProbabilityEach() {
        Map<String, Integer> labels = Plans.labels("label 1", "label 2", "ignore");
        List<LabelRegion> regions =
                List.of(new LabelRegion("whole", List.of(1, 2), 1), new LabelRegion("core", List.of(2), 2));
        DatasetDescription d = new DatasetDescription(
                Path.of("dataset.json"), List.of("MR"), new LabelNames(labels, regions), 10, ".nii.gz", Map.of());
        Fingerprint fingerprint = new Fingerprint(
                Collections.nCopies(10, new Fingerprint.Entry(new Triple(64, 64, 64), List.of(1.0, 1.0, 1.0), 1)));
        Plan plan = Planner.propose("p", d, fingerprint, Training.standard(), 8);
        assertThat(plan.outputs()).isEqualTo(Outputs.SIGMOID);
        assertThat(plan.network().classes()).isEqualTo(2);
        assertThat(plan.training().loss()).isEqualTo("dice + bce(reduction=voxel)");
        assertThat(plan.regions()).isEqualTo(regions);
    }

    private static Plan propose(
            Triple size, List<Double> spacing, double relative, double gigabytes, String... channels) {
        Fingerprint fingerprint =
                new Fingerprint(Collections.nCopies(10, new Fingerprint.Entry(size, spacing, relative)));
        return Planner.propose("p", description(channels), fingerprint, Training.standard(), gigabytes);
    }

    @Test
    void isotropicDataGetCubicStridesWithinTheBudget() {
        Plan plan = propose(new Triple(170, 190, 160), List.of(1.0, 1.0, 1.0), 0.5, 8, "MR", "noNorm");
        assertThat(plan.patchSize()).containsExactly(128, 128, 128);
        assertThat(plan.network().features()).containsExactly(32, 64, 128, 256, 320, 320);
        assertThat(plan.batchSize()).isEqualTo(2);
        assertThat(plan.normalization()).containsExactly("zscore-nonzero", "none");
        assertThat(plan).isEqualTo(propose(new Triple(170, 190, 160), List.of(1.0, 1.0, 1.0), 0.5, 8, "MR", "noNorm"));
    }

    @Test
    void thickSlicesAreNotPooledFirst() {
        Plan plan = propose(new Triple(30, 400, 400), List.of(6.0, 0.5, 0.5), 1, 8, "MR");
        assertThat(plan.network().strides().get(1)).containsExactly(1, 2, 2);
        assertThat(plan.network().kernels().get(0)).containsExactly(1, 3, 3);
        assertThat(plan.patchSize().get(0)).isLessThan(plan.patchSize().get(1));
        assertThat(plan.normalization()).containsExactly("zscore");
    }

    @Test
    void singleSlicesGetANetworkInTwoDimensions() {
        Plan plan = propose(new Triple(1, 300, 200), List.of(5.0, 0.5, 0.5), 1, 8, "CT");
        assertThat(plan.network().dim()).isEqualTo(2);
        assertThat(plan.patchSize().get(0)).isEqualTo(1);
        assertThat(plan.training().mirrorAxes()).containsExactly(1, 2);
    }

    @Test
    void tinyVolumesAndTinyBudgetsStillGiveAPlan() {
        assertThat(propose(new Triple(5, 5, 5), List.of(1.0, 1.0, 1.0), 1, 8, "MR")
                        .network()
                        .stages())
                .isEqualTo(2);
        Plan small = propose(new Triple(170, 190, 160), List.of(1.0, 1.0, 1.0), 1, 0.01, "MR");
        assertThat(small.patch().d() * small.patch().h() * small.patch().w()).isLessThan(40_000);
    }
}
