package dev.voxgrad.engine.op;

import dev.voxgrad.engine.tensor.Scope;
import dev.voxgrad.engine.tensor.Shape;
import dev.voxgrad.engine.tensor.Tensor;
import java.util.Optional;

/**
 * The four bytes per voxel that the passes of a loss share: numbers of a formula of the voxels, or ids of components. Whoever needs
 * them again after somebody else wrote there computes them again.
 */
final class VoxelMemory {
    private final Scope scope;
    private final Shape shape;
    private Optional<Tensor> tensor = Optional.empty();
    private Object writer = this;

    /** Nothing is allocated before somebody writes. */
    VoxelMemory(Scope scope, Shape logits) {
        this.scope = scope;
        this.shape = logits.withChannels(1);
    }

    /** The scope of everything that a pass allocates. */
    Scope scope() {
        return scope;
    }

    /** True when nobody wrote here since. */
    boolean holds(Object content) {
        return writer == content;
    }

    /** The memory [N,D,H,W,1] for new content. */
    Tensor take(Object content) {
        writer = content;
        Tensor memory = tensor.orElseGet(() -> scope.tensor(shape));
        tensor = Optional.of(memory);
        return memory;
    }

    /** The memory as it is. */
    Tensor held() {
        return tensor.orElseThrow();
    }

    /** Gives it back before the scope closes. */
    void free() {
        tensor.ifPresent(scope::free);
        tensor = Optional.empty();
        writer = this;
    }
}
