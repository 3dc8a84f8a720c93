package dev.voxgrad.engine.op;

import dev.voxgrad.bindings.NativeContext;
import dev.voxgrad.bindings.ffi.VoxgradH;
import dev.voxgrad.engine.tensor.Labels;
import dev.voxgrad.engine.tensor.Scope;
import dev.voxgrad.engine.tensor.Tensor;
import dev.voxgrad.engine.tensor.Work;
import java.lang.foreign.Arena;

/** The channel with the largest value of each voxel; the lowest one on ties. It has no gradient. */
public final class Argmax {
    private Argmax() {}

    /**
     * Class labels from logits or probabilities.
     *
     * @param scope owner of the result
     * @param x [N,D,H,W,C] with at most 256 channels
     * @return [N,D,H,W,1]
     * @throws dev.voxgrad.bindings.NativeException when a voxel holds a NaN
     */
    public static Labels of(Scope scope, Tensor x) {
        Labels y = scope.labels(x.shape().withChannels(1));
        NativeContext context = x.device().context();
        try (Arena arena = Arena.ofConfined()) {
            long bytes = Work.bytes(x) + y.shape().elements();
            x.device().announce(Work.of("argmax", x.shape().elements(), x.shape(), y.shape(), bytes));
            context.check(VoxgradH.vg_argmax(context.handle(), Tensor.map(arena, x, x), x.data(), y.data()));
        }
        return y;
    }
}
