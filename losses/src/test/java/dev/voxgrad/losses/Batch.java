package dev.voxgrad.losses;

import dev.voxgrad.engine.autograd.Tape;
import dev.voxgrad.engine.op.SegLoss.Nonlinearity;
import dev.voxgrad.engine.tensor.Device;
import dev.voxgrad.engine.tensor.Labels;
import dev.voxgrad.engine.tensor.Scope;
import dev.voxgrad.engine.tensor.Shape;
import dev.voxgrad.engine.tensor.Tensor;
import java.util.List;
import java.util.Optional;
import java.util.Random;

/**
 * Logits [N,D,H,W,C] with class labels [N,D,H,W,1] or targets [N,D,H,W,C] and perhaps a mask [N,D,H,W,1] on the host, to evaluate
 * losses on.
 */
@SuppressWarnings("ArrayRecordComponent") // never compared as a whole
record Batch(Shape shape, float[] logits, byte[] labels, Optional<byte[]> mask) {
    Batch(Shape shape, float[] logits, byte[] labels) {
        this(shape, logits, labels, Optional.empty());
    }

    /** Normal logits times {@code scale}, uniform labels. */
    static Batch random(Random random, Shape shape, double scale, Nonlinearity nonlinearity) {
        boolean sigmoid = nonlinearity == Nonlinearity.SIGMOID;
        float[] logits = new float[(int) shape.elements()];
        for (int i = 0; i < logits.length; i++) {
            logits[i] = (float) (scale * random.nextGaussian());
        }
        byte[] labels = new byte[sigmoid ? logits.length : logits.length / (int) shape.c()];
        for (int i = 0; i < labels.length; i++) {
            labels[i] = (byte) random.nextInt(sigmoid ? 2 : (int) shape.c());
        }
        return new Batch(shape, logits, labels);
    }

    Batch withLogits(float[] other) {
        return new Batch(shape, other, labels, mask);
    }

    Batch withLabels(byte[] other) {
        return new Batch(shape, logits, other, mask);
    }

    Batch withMask(byte[] other) {
        return new Batch(shape, logits, labels, Optional.of(other));
    }

    /** Number of channels. */
    int classes() {
        return (int) shape.c();
    }

    /** Voxels of all samples. */
    int voxels() {
        return (int) (shape.n() * shape.voxels());
    }

    /** Voxels in another order: voxel i goes to {@code to[i]}. */
    Batch moved(int... to) {
        return new Batch(shape, moved(logits, to), moved(labels, to), mask.map(values -> moved(values, to)));
    }

    private static byte[] moved(byte[] values, int... to) {
        byte[] result = values.clone();
        int perVoxel = values.length / to.length;
        for (int i = 0; i < to.length; i++) {
            System.arraycopy(values, i * perVoxel, result, to[i] * perVoxel, perVoxel);
        }
        return result;
    }

    static float[] moved(float[] values, int... to) {
        float[] result = values.clone();
        int perVoxel = values.length / to.length;
        for (int i = 0; i < to.length; i++) {
            System.arraycopy(values, i * perVoxel, result, to[i] * perVoxel, perVoxel);
        }
        return result;
    }

    /** The value in float64. */
    double value(Device device, SegmentationLoss loss) {
        try (Scope scope = device.scope()) {
            return loss.value(scope.tensor(shape, logits), labels(scope), mask(scope));
        }
    }

    /** The derivative of the value by the logits. */
    float[] gradient(Device device, SegmentationLoss loss) {
        try (Scope scope = device.scope()) {
            Tensor z = scope.tensor(shape, logits);
            Tape tape = Tape.training(scope, List.of(z));
            Tensor value = loss.apply(tape, z, labels(scope), mask(scope));
            return tape.backward(value).of(z).orElseThrow().toArray();
        }
    }

    private Labels labels(Scope scope) {
        return scope.labels(shape.withChannels(labels.length / voxels()), labels);
    }

    private Optional<Labels> mask(Scope scope) {
        return mask.map(values -> scope.labels(shape.withChannels(1), values));
    }
}
