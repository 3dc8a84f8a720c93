package dev.voxgrad.engine.autograd;

import dev.voxgrad.engine.ShapeException;
import dev.voxgrad.engine.tensor.Scope;
import dev.voxgrad.engine.tensor.Shape;
import dev.voxgrad.engine.tensor.Tensor;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Gradients by tensor. The first gradient of a tensor is adopted, later ones are added to it. A gradient's memory is freed as soon
 * as the op that made its tensor has used it; those of the leaves stay until the scope closes.
 */
public final class Gradients {
    private final Tape tape;
    private final Map<Tensor, Tensor> byTensor = new IdentityHashMap<>();
    private final Map<Object, Integer> users = new IdentityHashMap<>();

    Gradients(Tape tape) {
        this.tape = tape;
    }

    /** True when the gradient of this tensor is needed by anyone. */
    public boolean wants(Tensor tensor) {
        return tape.tracks(tensor);
    }

    /** The scope for temporary tensors of a backward pass. */
    public Scope scope() {
        return tape.scope();
    }

    /** A new tensor for a gradient. */
    public Tensor make(Shape shape) {
        return tape.scope().tensor(shape);
    }

    /**
     * Adds a gradient that nobody else will read or write from now on. Channel slices of one tensor may be given to different
     * tensors when they do not overlap.
     */
    public void give(Tensor tensor, Tensor gradient) {
        if (!wants(tensor)) {
            return;
        }
        if (!gradient.shape().equals(tensor.shape())) {
            throw new ShapeException("gradient " + gradient.shape() + " for a tensor " + tensor.shape());
        }
        Tensor present = byTensor.get(tensor);
        if (present == null) {
            byTensor.put(tensor, gradient);
            users.merge(gradient.identity(), 1, Integer::sum);
        } else {
            present.addScaled(1, gradient);
            if (!users.containsKey(gradient.identity())) {
                scope().free(gradient);
            }
        }
    }

    /** Adds a copy of a gradient that is still used elsewhere. */
    public void share(Tensor tensor, Tensor gradient) {
        if (!wants(tensor)) {
            return;
        }
        Tensor present = byTensor.get(tensor);
        if (present == null) {
            give(tensor, gradient.copy(scope()));
        } else {
            present.addScaled(1, gradient);
        }
    }

    /** The gradient of a leaf, empty if the scalar does not depend on it. */
    public Optional<Tensor> of(Tensor leaf) {
        return Optional.ofNullable(byTensor.get(leaf));
    }

    /** Removes the finished gradient of an op's output; null if nothing reached it. */
    Tensor take(Tensor output) {
        return byTensor.remove(output);
    }

    /** Frees a used gradient unless its memory went on as the gradient of another tensor. */
    void dismiss(Tensor gradient) {
        int left = users.merge(gradient.identity(), -1, Integer::sum);
        if (left == 0) {
            users.remove(gradient.identity());
            scope().free(gradient);
        }
    }
}
