package dev.voxgrad.engine.op;

import dev.voxgrad.bindings.NativeContext;
import dev.voxgrad.bindings.ffi.VoxgradH;
import dev.voxgrad.engine.ShapeException;
import dev.voxgrad.engine.autograd.Gradients;
import dev.voxgrad.engine.autograd.Op;
import dev.voxgrad.engine.autograd.Tape;
import dev.voxgrad.engine.tensor.Shape;
import dev.voxgrad.engine.tensor.Tensor;
import dev.voxgrad.engine.tensor.Work;
import java.lang.foreign.Arena;

/**
 * Instance norm behind a convolution as five numbers for each sample and channel, the rows of {@code vg_norm_row}: the convolution
 * fills them, readers of its output apply them ({@link FeatureMap}).
 *
 * <p>Readers give dL/da and its sums over the voxels; backward turns both into the gradients of the convolution's output, gamma and
 * beta.
 */
final class NormTable implements Op {
    private final Tensor x;
    private final Tensor gamma;
    private final Tensor beta;
    private final Tensor rows;
    private final SumsOfReaders sums = new SumsOfReaders();

    private NormTable(Tensor x, Tensor gamma, Tensor beta, Tensor rows) {
        this.x = x;
        this.gamma = gamma;
        this.beta = beta;
        this.rows = rows;
    }

    /** Shape of the table of a tensor. */
    static Shape rows(Shape x) {
        return new Shape(x.n(), 1, 1, VoxgradH.VG_NORM_ROWS(), x.c());
    }

    /** Shape of the sums of a gradient: of g and of g (x - mean). */
    static Shape sums(Shape x) {
        return new Shape(x.n(), 1, 1, 2, x.c());
    }

    /** The table of plain values, which are their own a without activation. */
    static Tensor identity(Tape tape, Shape x) {
        Tensor table = tape.output(rows(x));
        float[] values = new float[Math.toIntExact(table.shape().elements())];
        int channels = Math.toIntExact(x.c());
        for (int i = 0; i < values.length; i++) {
            int row = i / channels % VoxgradH.VG_NORM_ROWS();
            values[i] = row == VoxgradH.VG_NORM_SHIFT() || row == VoxgradH.VG_NORM_MEAN() ? 0 : 1;
        }
        table.set(values);
        return table;
    }

    /**
     * The map of a convolution's output behind a norm.
     *
     * @param x the output, which the convolution has recorded
     * @param rows its table, which the convolution has filled
     */
    static FeatureMap behind(Tape tape, Tensor x, Conv3d.Norm norm, Tensor rows) {
        NormTable op = new NormTable(x, norm.gamma(), norm.beta(), rows);
        // The same memory under another identity: its gradient is dL/da, that of x is dL/dx.
        Tensor a = tape.record(x.slice(0, x.shape().c()), op, x, norm.gamma(), norm.beta());
        return new FeatureMap(a, rows, op.sums);
    }

    @Override
    public void backward(Tensor g, Gradients gradients) {
        Tensor total = sums.total()
                .orElseThrow(
                        () -> new ShapeException("a reader of a map before its norm gave a gradient without its sums"));
        Tensor dgamma = gradients.make(gamma.shape());
        Tensor dbeta = gradients.make(beta.shape());
        NativeContext context = x.device().context();
        try (Arena arena = Arena.ofConfined()) {
            long flops = 7 * g.shape().elements();
            x.device().announce(Work.of("norm_backward_input", flops, g, g, Work.bytes(x, g, g)));
            context.check(VoxgradH.vg_norm_backward_input(
                    context.handle(),
                    Tensor.map(arena, x, g),
                    x.data(),
                    rows.data(),
                    g.data(),
                    total.data(),
                    g.data(), // in place: x's gradient takes the memory of a's
                    dgamma.data(),
                    dbeta.data()));
        }
        gradients.scope().free(rows); // all readers are done
        gradients.scope().free(total);
        gradients.give(gamma, dgamma);
        gradients.give(beta, dbeta);
        gradients.give(x, g);
    }

    @Override
    public boolean usesOutput() {
        return true; // it has the memory of x
    }
}
