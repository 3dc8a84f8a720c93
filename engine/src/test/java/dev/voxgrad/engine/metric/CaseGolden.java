package dev.voxgrad.engine.metric;

import static org.assertj.core.api.Assertions.assertThat;

import dev.voxgrad.engine.image.Grid;
import dev.voxgrad.engine.tensor.Device;
import dev.voxgrad.golden.Golden;
import dev.voxgrad.golden.GoldenCase;
import dev.voxgrad.golden.GoldenTensor;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;
import tools.jackson.databind.JsonNode;

/** Handlers of the golden operations on one case. */
final class CaseGolden {
    private CaseGolden() {}

    static Map<String, Golden.Handler> handlers() {
        return Map.of(
                "mask_pair", CaseGolden::maskPair,
                "distance_transform", CaseGolden::distances,
                "connected_components", CaseGolden::components,
                "surfel_tables", CaseGolden::tables,
                "lesion_detection", CaseGolden::lesions);
    }

    private static double[] numbers(JsonNode array) {
        return IntStream.range(0, array.size())
                .mapToDouble(i -> array.get(i).asDouble())
                .toArray();
    }

    private static Grid grid(GoldenTensor tensor) {
        int[] s = tensor.shape();
        return s.length == 2 ? new Grid(1, s[0], s[1]) : new Grid(s[0], s[1], s[2]);
    }

    /** z, y, x; a picture gets any spacing along z. */
    private static double[] spacing(GoldenCase golden) {
        double[] spacing = numbers(golden.params().path("spacing"));
        return spacing.length == 3 ? spacing : new double[] {7, spacing[0], spacing[1]};
    }

    private static MaskPair pair(GoldenCase golden, double... spacingMm) {
        GoldenTensor reference = golden.tensor("in/reference");
        return MaskPair.of(reference.bytes(), golden.tensor("in/prediction").bytes(), grid(reference), spacingMm);
    }

    /** Every scalar of the case must be computed and every computed one asked for. */
    private static void checkAll(GoldenCase golden, Map<String, Double> computed) {
        Set<String> wanted = new TreeSet<>(golden.json().path("scalars").propertyNames());
        assertThat(computed.keySet()).as(golden.name()).containsExactlyInAnyOrderElementsOf(wanted);
        computed.forEach(golden::checkScalar);
    }

    private static void maskPair(GoldenCase golden) {
        MaskPair pair = pair(golden, numbers(golden.params().path("spacing")));
        Map<String, Double> all = new LinkedHashMap<>();
        Overlap overlap = Overlap.of(pair);
        Confusion c = overlap.counts();
        all.put("overlap.tp", (double) c.tp());
        all.put("overlap.fp", (double) c.fp());
        all.put("overlap.fn", (double) c.fn());
        all.put("overlap.tn", (double) c.tn());
        all.put("overlap.dice", c.dice());
        all.put("overlap.iou", c.iou());
        all.put("overlap.sensitivity", c.sensitivity());
        all.put("overlap.precision", c.precision());
        all.put("overlap.specificity", c.specificity());
        all.put("overlap.volume_reference_mm3", overlap.referenceMm3());
        all.put("overlap.volume_prediction_mm3", overlap.predictionMm3());
        all.put("overlap.rvd_signed", c.relativeVolumeDifference());
        all.put("overlap.rvd_abs", Math.abs(c.relativeVolumeDifference()));
        all.put("overlap.volume_similarity", c.volumeSimilarity());
        try (Device device = Device.cpu(2)) {
            SurfaceDistances voxel = SurfaceDistances.of(device, pair);
            SurfelDistances surfel = SurfelDistances.of(device, pair);
            all.put("voxel.hd", voxel.hd());
            all.put("voxel.hd95_max", voxel.hd95());
            all.put("voxel.hd95_pooled", voxel.hd95Pooled());
            all.put("voxel.assd_pooled", voxel.assd());
            all.put("voxel.assd_mean_of_means", voxel.assdMeanOfMeans());
            for (double tolerance : numbers(golden.params().path("tolerances_mm"))) {
                String name = Double.toString(tolerance).replaceFirst("\\.0$", "");
                all.put("voxel.nsd_" + name, voxel.nsd(tolerance));
                all.put("surfel.nsd_" + name, surfel.nsd(tolerance));
            }
            all.put("surfel.hd50", surfel.hd(50));
            all.put("surfel.hd95", surfel.hd(95));
            all.put("surfel.hd100", surfel.hd(100));
            all.put("surfel.asd_reference_to_prediction", surfel.meanReferenceToPrediction());
            all.put("surfel.asd_prediction_to_reference", surfel.meanPredictionToReference());
            all.put("surfel.assd", surfel.assd());
            all.put("surfel.area_reference_mm2", surfel.referenceArea());
            all.put("surfel.area_prediction_mm2", surfel.predictionArea());
        }
        checkAll(golden, all);
    }

    private static void distances(GoldenCase golden) {
        GoldenTensor mask = golden.tensor("in/mask");
        Grid grid = grid(mask);
        boolean planar = mask.shape().length == 2;
        try (Device device = Device.cpu(2);
                DistanceMap map = DistanceMap.of(device, mask.bytes(), grid, spacing(golden))) {
            golden.check(
                    "out/distance",
                    IntStream.range(0, grid.voxels()).mapToDouble(map::at).toArray());
        }
        byte[] dilated = dilate(dilate(mask.bytes(), grid), grid);
        byte[] surface = Surface.FACES.of(dilated, grid, planar);
        golden.check(
                "out/surface",
                IntStream.range(0, surface.length).map(i -> surface[i]).toArray());
    }

    /** By face neighbours. */
    private static byte[] dilate(byte[] mask, Grid grid) {
        byte[] grown = mask.clone();
        int[] sizes = grid.sizes();
        int[] steps = {sizes[1] * sizes[2], sizes[2], 1};
        for (int i = 0; i < mask.length; i++) {
            for (int axis = 0; axis < 3; axis++) {
                int at = i / steps[axis] % sizes[axis];
                if (at > 0 && mask[i - steps[axis]] != 0 || at < sizes[axis] - 1 && mask[i + steps[axis]] != 0) {
                    grown[i] = 1;
                }
            }
        }
        return grown;
    }

    private static int connectivity(GoldenCase golden) {
        int neighbours = golden.params().path("neighbours").asInt();
        return switch (neighbours) {
            case 4 -> 6;
            case 8 -> 26;
            default -> neighbours;
        };
    }

    private static void components(GoldenCase golden) {
        GoldenTensor mask = golden.tensor("in/mask");
        try (Device device = Device.cpu(2)) {
            Lesions found = Lesions.of(device, mask.bytes(), grid(mask), connectivity(golden), 0);
            golden.check("out/components", found.ids());
            golden.checkScalar("count", found.count());
        }
    }

    private static void tables(GoldenCase golden) {
        double[] normals = new double[256 * 12];
        for (int code = 0; code < 256; code++) {
            double[] n = SurfelTable.normals(code);
            System.arraycopy(n, 0, normals, code * 12, n.length);
        }
        golden.check("out/normals", normals);
        for (String name : List.of("iso", "aniso")) {
            double[] volume = numbers(golden.params().path("spacings_3d").path(name));
            double[] picture = numbers(golden.params().path("spacings_2d").path(name));
            golden.check("out/area_" + name, SurfelTable.areas(volume));
            golden.check("out/length_" + name, SurfelTable.lengths(picture[0], picture[1]));
        }
    }

    private static void lesions(GoldenCase golden) {
        int axes = golden.tensor("in/reference").shape().length;
        double[] spacing = new double[axes];
        Arrays.fill(spacing, 1);
        LesionOptions options = new LesionOptions(
                connectivity(golden),
                golden.params().path("min_overlap_fraction").asDouble(),
                golden.params().path("iou_threshold").asDouble(),
                0,
                List.of());
        try (Device device = Device.cpu(2)) {
            LesionDetection found = LesionDetection.of(device, pair(golden, spacing), options);
            Map<String, Double> all = new LinkedHashMap<>();
            all.put("reference_lesions", (double) found.reference());
            all.put("predicted_lesions", (double) found.predicted());
            all.put("detected_reference", (double) found.detected());
            all.put("matched_predictions", (double) found.hits());
            all.put("false_positives", (double) found.falsePositives());
            all.put("false_negatives", (double) found.falseNegatives());
            all.put("recall", found.recall());
            all.put("precision", found.precision());
            all.put("f1", found.f1());
            all.put("count_difference", (double) found.countDifference());
            all.put("match.tp", (double) found.matching().tp());
            all.put("match.fp", (double) found.matching().fp());
            all.put("match.fn", (double) found.matching().fn());
            all.put("match.f1", found.matching().f1());
            all.put("match.mean_iou", found.matching().meanIou());
            checkAll(golden, all);
        }
    }
}
