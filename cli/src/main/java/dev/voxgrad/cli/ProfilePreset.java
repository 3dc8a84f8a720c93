package dev.voxgrad.cli;

import dev.voxgrad.engine.nn.NetworkSpec;
import dev.voxgrad.engine.nn.Networks;
import dev.voxgrad.engine.plan.Outputs;
import dev.voxgrad.engine.plan.Plan;
import dev.voxgrad.engine.plan.Training;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.IntStream;

/** Trainings that everybody can measure without data: the networks of the benchmarks, one channel, four classes, nnU-Net's training. */
enum ProfilePreset {
    /** Plain U-Net 32-64-128-256, two patches of 64x64x64. */
    UNET64(List.of(64, 64, 64), false),
    /** Plain 2D U-Net with six stages, two slices of 512x512. */
    UNET2D(List.of(1, 512, 512), false),
    /** Residual encoder U-Net 32-64-128-256, two patches of 64x64x64. */
    RESENC64(List.of(64, 64, 64), true);

    private static final int CLASSES = 4;

    private final List<Integer> patch;
    private final boolean residual;

    ProfilePreset(List<Integer> patch, boolean residual) {
        this.patch = patch;
        this.residual = residual;
    }

    Plan plan() {
        Map<String, Integer> labels = new LinkedHashMap<>();
        labels.put("background", 0);
        IntStream.range(1, CLASSES).forEach(c -> labels.put("class " + c, c));
        return new Plan(
                Plan.FORMAT_VERSION,
                name().toLowerCase(Locale.ROOT),
                List.of("noise"),
                List.of("none"),
                labels,
                List.of(1.0, 1.0, 1.0),
                patch,
                2,
                network(),
                Training.standard().with(t -> t.mirrorAxes = mirrorAxes()),
                Outputs.SOFTMAX,
                List.of());
    }

    private List<Integer> mirrorAxes() {
        return patch.getFirst() == 1 ? List.of(1, 2) : List.of(0, 1, 2);
    }

    private NetworkSpec network() {
        int dim = patch.getFirst() == 1 ? 2 : 3;
        List<Integer> features = dim == 2 ? List.of(32, 64, 128, 256, 512, 512) : List.of(32, 64, 128, 256);
        List<List<Integer>> kernels = Networks.cubes(dim, 3, features.size());
        List<List<Integer>> strides = Networks.halvings(dim, features.size());
        return residual
                ? Networks.residualEncoderUNet(1, CLASSES, features, kernels, strides, true)
                : Networks.plainUNet(1, CLASSES, features, kernels, strides, true);
    }
}
