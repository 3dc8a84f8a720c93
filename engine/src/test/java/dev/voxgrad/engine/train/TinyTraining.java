package dev.voxgrad.engine.train;

import dev.voxgrad.engine.augment.CounterRandom;
import dev.voxgrad.engine.image.Geometry;
import dev.voxgrad.engine.nn.NetworkSpec;
import dev.voxgrad.engine.nn.Networks;
import dev.voxgrad.engine.op.Loss;
import dev.voxgrad.engine.op.SegLoss;
import dev.voxgrad.engine.op.Triple;
import dev.voxgrad.engine.plan.CropBox;
import dev.voxgrad.engine.plan.Outputs;
import dev.voxgrad.engine.plan.Plan;
import dev.voxgrad.engine.plan.PreparedCase;
import dev.voxgrad.engine.plan.Training;
import dev.voxgrad.engine.tensor.Device;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** A training that takes a second: bright balls on noise, three classes. Also a program, so that a test can kill it. */
final class TinyTraining {
    static final int CLASSES = 3;

    /** Mean cross entropy, the simplest formula on the sums. */
    static final Loss LOSS =
            (tape, logits, labels) -> SegLoss.apply(tape, logits, labels, SegLoss.Options.SOFTMAX, (sums, partials) -> {
                double total = 0;
                double voxels = 0;
                for (int n = 0; n < sums.samples(); n++) {
                    voxels += sums.get(n, 0, 0, SegLoss.Kind.VOXELS);
                }
                for (int n = 0; n < sums.samples(); n++) {
                    for (int c = 0; c < sums.classes(); c++) {
                        total += sums.get(n, 0, c, SegLoss.Kind.NLL_TRUE);
                        partials.add(n, 0, c, SegLoss.Kind.NLL_TRUE, 1 / voxels);
                    }
                }
                return total / voxels;
            });

    private TinyTraining() {}

    static Plan plan(int epochs, String optimizer) {
        NetworkSpec network = Networks.plainUNet(
                1, CLASSES, List.of(4, 8, 8), Networks.cubes(3, 3, 3), Networks.halvings(3, 3), true);
        Training training = Training.standard().with(t -> {
            t.loss = "ce";
            t.optimizer = optimizer;
            t.learningRate = optimizer.equals("sgd") ? 0.01 : 3e-3;
            t.momentum = 0.9;
            t.warmUpEpochs = 1;
            t.epochs = epochs;
            t.iterationsPerEpoch = 3;
            t.validationIterations = 2;
            t.checkpointEvery = 1;
            t.seed = 42;
        });
        Map<String, Integer> labels = new LinkedHashMap<>(); // in order: the plan is part of the checkpoint's bytes
        labels.put("background", 0);
        labels.put("left", 1);
        labels.put("right", 2);
        return new Plan(
                Plan.FORMAT_VERSION,
                "tiny",
                List.of("image"),
                List.of("zscore"),
                labels,
                List.of(1.0, 1.0, 1.0),
                List.of(8, 8, 12),
                2,
                network,
                training,
                Outputs.SOFTMAX,
                List.of());
    }

    /** The same with a network that has dropout and starts by another rule; no deep supervision. */
    static Plan withDropout(Plan plan) {
        NetworkSpec network = new NetworkSpec(
                "BasicUNet",
                3,
                1,
                CLASSES,
                List.of(4, 8, 8),
                plan.network().kernels(),
                plan.network().strides(),
                List.of(2, 2, 2),
                List.of(2, 2),
                false,
                0.1,
                1e-5,
                NetworkSpec.MISH,
                0.2,
                6);
        return plan.with(p -> {
            p.network = network;
            p.training = p.training.with(t -> t.deepSupervision = false);
        });
    }

    static List<PreparedCase> cases(int count, int seed) {
        return IntStream.range(0, count)
                .mapToObj(i -> ball("case" + seed + "_" + i, CounterRandom.of(seed, "ball", i)))
                .toList();
    }

    private static PreparedCase ball(String id, CounterRandom random) {
        Triple size = new Triple(10, 11, 17);
        int z0 = random.integer(3, 6);
        int y0 = random.integer(3, 7);
        int x0 = random.integer(4, 12);
        byte[] labels = new byte[size.d() * size.h() * size.w()];
        float[] image = new float[labels.length];
        int i = 0;
        for (int z = 0; z < size.d(); z++) {
            for (int y = 0; y < size.h(); y++) {
                for (int x = 0; x < size.w(); x++, i++) {
                    int r2 = (z - z0) * (z - z0) + (y - y0) * (y - y0) + (x - x0) * (x - x0);
                    labels[i] = (byte) (r2 > 9 ? 0 : x < x0 ? 1 : 2);
                    image[i] = (float) (labels[i] + 0.3 * random.normal());
                }
            }
        }
        Map<Integer, int[]> locations = new LinkedHashMap<>();
        for (int label = 1; label < CLASSES; label++) {
            int l = label;
            locations.put(
                    label,
                    IntStream.range(0, labels.length)
                            .filter(v -> labels[v] == l)
                            .toArray());
        }
        return new PreparedCase(
                id,
                size,
                1,
                image,
                labels,
                List.of(1.0, 1.0, 1.0),
                CropBox.all(size),
                size,
                Geometry.ofSpacing(1, 1, 1),
                locations);
    }

    static Trainer trainer(Plan plan, Device device, Path folder) {
        return trainer(plan, LOSS, device, folder);
    }

    static Trainer trainer(Plan plan, Loss loss, Device device, Path folder) {
        return trainer(plan, loss, device, folder, TrainingListener.silent());
    }

    static Trainer trainer(Plan plan, Loss loss, Device device, Path folder, TrainingListener listener) {
        return new Trainer(plan, loss, cases(4, 1), cases(2, 2), device, new ModelFolder(folder), listener);
    }

    /** Starts or resumes the training of FOLDER with EPOCHS epochs. */
    public static void main(String[] args) throws InterruptedException {
        Path folder = Path.of(args[0]);
        try (Device device = Device.cpu(1)) {
            trainer(plan(Integer.parseInt(args[1]), "adamw"), device, folder).resume();
        }
    }
}
