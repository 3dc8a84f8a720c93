package dev.voxgrad.bench;

import dev.voxgrad.engine.autograd.Gradients;
import dev.voxgrad.engine.autograd.Tape;
import dev.voxgrad.engine.nn.DeepSupervision;
import dev.voxgrad.engine.nn.Initializer;
import dev.voxgrad.engine.nn.Module;
import dev.voxgrad.engine.nn.NetworkSpec;
import dev.voxgrad.engine.nn.Networks;
import dev.voxgrad.engine.op.Loss;
import dev.voxgrad.engine.optim.AdamW;
import dev.voxgrad.engine.optim.GradientNorm;
import dev.voxgrad.engine.tensor.Device;
import dev.voxgrad.engine.tensor.Labels;
import dev.voxgrad.engine.tensor.Scope;
import dev.voxgrad.engine.tensor.Shape;
import dev.voxgrad.engine.tensor.Tensor;
import dev.voxgrad.losses.Losses;
import java.util.List;
import java.util.OptionalInt;
import java.util.Random;

/** Times whole training steps (forward, loss, backward, clipping, AdamW) and forward passes of plain 3D U-Nets on random data. */
final class StepBench {
    /** Median milliseconds, and the largest memory that the tensors of a step held together. */
    record Times(double stepMs, double forwardMs, double peakMb) {}

    /** A network and the batch it is timed on. */
    record Job(String name, NetworkSpec network, Shape input) {
        /** Features double from stage to stage, strides 2, two convolutions per stage. */
        static Job plain(String name, List<Integer> features, Shape input) {
            List<Integer> cube = List.of(3, 3, 3);
            List<List<Integer>> kernels = features.stream().map(f -> cube).toList();
            List<List<Integer>> strides = features.stream()
                    .map(f -> f.equals(features.getFirst()) ? List.of(1, 1, 1) : List.of(2, 2, 2))
                    .toList();
            return new Job(name, NetworkSpec.plainUNet(1, CLASSES, features, kernels, strides, true), input);
        }
    }

    private static final int CLASSES = 4;

    /** The network of the quick start, and the reference network of the CPU targets. */
    static final List<Job> JOBS = List.of(
            Job.plain("quickstart U-Net 8-16-32, 2x24x32x32", List.of(8, 16, 32), new Shape(2, 24, 32, 32, 1)),
            Job.plain("unet64: U-Net 32-64-128-256, 2x64^3", List.of(32, 64, 128, 256), new Shape(2, 64, 64, 64, 1)));

    private StepBench() {}

    static Times run(Device device, Job job, double seconds) {
        try (Scope scope = device.scope()) {
            Module network = Networks.create(job.network(), scope);
            network.parameters().initialize(Initializer.HE_LEAKY, 1);
            AdamW optimizer = new AdamW(AdamW.Settings.DEFAULT);
            Loss loss = Losses.parse(Losses.DEFAULT, CLASSES, OptionalInt.empty());
            DeepSupervision levels = DeepSupervision.of(job.network().stages() - 1);
            Random random = new Random(5);
            float[] image = new float[Math.toIntExact(job.input().elements())];
            byte[] labels = new byte[image.length];
            for (int i = 0; i < image.length; i++) {
                image[i] = (float) random.nextGaussian();
                labels[i] = (byte) random.nextInt(CLASSES);
            }
            double[] steps = new double[1000];
            double[] forwards = new double[1000];
            int runs = 0;
            long end = System.nanoTime() + (long) (seconds * 1e9);
            // The first two runs warm up and do not count.
            for (int i = -2; i < steps.length && (i < 3 || System.nanoTime() < end); i++) {
                long t0 = System.nanoTime();
                try (Scope step = device.scope()) {
                    Tape tape = Tape.training(step, network.parameters().tensors());
                    Labels y = step.labels(job.input(), labels);
                    Tensor value = levels.apply(tape, loss, network.forward(tape, step.tensor(job.input(), image)), y);
                    Gradients gradients = tape.backward(value);
                    GradientNorm norm = GradientNorm.of(network.parameters(), gradients);
                    optimizer.step(network.parameters(), gradients, 1e-3, norm.clipFactor(12));
                }
                long t1 = System.nanoTime();
                try (Scope step = device.scope()) {
                    network.forward(Tape.inference(step), step.tensor(job.input(), image));
                }
                if (i >= 0) {
                    steps[i] = (t1 - t0) / 1e6;
                    forwards[i] = (System.nanoTime() - t1) / 1e6;
                    runs = i + 1;
                }
            }
            return new Times(
                    ConvBench.median(steps, runs),
                    ConvBench.median(forwards, runs),
                    device.describe().poolPeakBytes() / 1e6);
        }
    }
}
