package dev.voxgrad.losses;

import dev.voxgrad.engine.autograd.Tape;
import dev.voxgrad.engine.op.SegLoss.Nonlinearity;
import dev.voxgrad.engine.op.Sum;
import dev.voxgrad.engine.tensor.Device;
import dev.voxgrad.engine.tensor.Labels;
import dev.voxgrad.engine.tensor.Scope;
import dev.voxgrad.engine.tensor.Shape;
import dev.voxgrad.engine.tensor.Tensor;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * A loss at labels on the host, to be evaluated by {@link GradientCheck} at any logits.
 *
 * @param shape of the logits [N,D,H,W,C]
 * @param labels class labels [N,D,H,W,1] for softmax, 0/1 targets [N,D,H,W,C] for sigmoid
 * @param counts 0/1 bytes [N,D,H,W,1]; none when every voxel counts
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record CheckBatch(Device device, SegmentationLoss loss, Shape shape, byte[] labels, Optional<byte[]> counts) {
    /** Above every class. */
    private static final int IGNORED = 255;

    private static final float UPSTREAM = 3;

    /** The same where some voxels do not count: by an ignore label for softmax, by a mask for sigmoid. */
    CheckBatch counting(byte[] some) {
        if (sigmoid()) {
            return new CheckBatch(device, loss, shape, labels, Optional.of(some));
        }
        byte[] known = labels.clone();
        for (int voxel = 0; voxel < known.length; voxel++) {
            known[voxel] = some[voxel] == 0 ? (byte) IGNORED : known[voxel];
        }
        SegmentationLoss ignoring =
                new SegmentationLoss(loss.sum(), loss.classes(), OptionalInt.of(IGNORED), loss.regions());
        return new CheckBatch(device, ignoring, shape, known, Optional.of(some));
    }

    private boolean sigmoid() {
        return loss.sum().nonlinearity() == Nonlinearity.SIGMOID;
    }

    /** The value in float64. */
    double value(float[] logits) {
        try (Scope scope = device.scope()) {
            return loss.value(scope.tensor(shape, logits), labels(scope), mask(scope));
        }
    }

    /** The gradient, taken under an upstream factor and divided by it. */
    float[] gradient(float[] logits) {
        try (Scope scope = device.scope()) {
            Tensor z = scope.tensor(shape, logits);
            Tape tape = Tape.training(scope, List.of(z));
            Tensor value = loss.apply(tape, z, labels(scope), mask(scope));
            Tensor scaled = Sum.apply(tape, List.of(new Sum.Term(UPSTREAM, value)));
            float[] gradient = tape.backward(scaled).of(z).map(Tensor::toArray).orElse(new float[logits.length]);
            for (int i = 0; i < gradient.length; i++) {
                gradient[i] /= UPSTREAM;
            }
            return gradient;
        }
    }

    /** The value of a term of autograd ops at logits that are given to it as they are, also where voxels do not count. */
    float value(TensorTerm term, float[] logits) {
        try (Scope scope = device.scope()) {
            Optional<Labels> mask = counts.map(values -> scope.labels(shape.withChannels(1), values));
            return term.apply(Tape.inference(scope), scope.tensor(shape, logits), labels(scope), mask)
                    .item();
        }
    }

    private Labels labels(Scope scope) {
        return scope.labels(shape.withChannels(sigmoid() ? shape.c() : 1), labels);
    }

    /** With softmax the labels say what counts. */
    private Optional<Labels> mask(Scope scope) {
        return counts.filter(values -> sigmoid()).map(values -> scope.labels(shape.withChannels(1), values));
    }
}
