package dev.voxgrad.engine.op;

import dev.voxgrad.bindings.NativeContext;
import dev.voxgrad.bindings.ffi.VoxgradH;
import dev.voxgrad.bindings.ffi.vg_dropout;
import dev.voxgrad.engine.ShapeException;
import dev.voxgrad.engine.autograd.Gradients;
import dev.voxgrad.engine.autograd.Op;
import dev.voxgrad.engine.autograd.Tape;
import dev.voxgrad.engine.tensor.Labels;
import dev.voxgrad.engine.tensor.Shape;
import dev.voxgrad.engine.tensor.Tensor;
import dev.voxgrad.engine.tensor.Work;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/**
 * Inverted dropout, PyTorch's {@code dropout} and {@code dropout3d}: y = keep ? x/(1-p) : 0, x [N,D,H,W,C]. Inactive unless the tape
 * trains. The draw is counter-based: it depends on seed, stream and position only, so backward repeats it and nothing is kept.
 */
public final class Dropout implements Op {
    /** What is dropped together. */
    public enum Unit {
        ELEMENT,
        /** All voxels of one channel of one sample. */
        CHANNEL
    }

    /**
     * The random draw of one layer in one step.
     *
     * @param seed of the training
     * @param stream a number that no other layer and step uses
     */
    public record Draw(long seed, long stream) {}

    private final Tensor x;
    private final float p;
    private final Unit unit;
    private final Draw draw;
    private final Optional<Labels> keep;

    private Dropout(Tensor x, float p, Unit unit, Draw draw, Optional<Labels> keep) {
        this.x = x;
        this.p = p;
        this.unit = unit;
        this.draw = draw;
        this.keep = keep;
        if (!(p >= 0 && p < 1)) {
            throw new IllegalArgumentException("dropout: p = " + p + " is not in [0, 1)");
        }
    }

    /** Drops with probability p; returns the input itself where there is nothing to do. */
    public static Tensor apply(Tape tape, Tensor x, float p, Unit unit, Draw draw) {
        Dropout op = new Dropout(x, p, unit, draw, Optional.empty());
        return tape.training() && p > 0 ? op.record(tape) : x;
    }

    /**
     * Applies given decisions, whether the tape trains or not.
     *
     * @param keep 1 = keep, 0 = drop, [N,D,H,W,C] for single elements or [N,1,1,1,C] for channels
     */
    public static Tensor withMask(Tape tape, Tensor x, float p, Labels keep) {
        Shape s = x.shape();
        Unit unit = keep.shape().equals(s) ? Unit.ELEMENT : Unit.CHANNEL;
        if (unit == Unit.CHANNEL && !keep.shape().equals(s.withGrid(1, 1, 1))) {
            throw new ShapeException("dropout: mask " + keep.shape() + " for input " + s + ", expected " + s + " or "
                    + s.withGrid(1, 1, 1));
        }
        return new Dropout(x, p, unit, new Draw(0, 0), Optional.of(keep)).record(tape);
    }

    private Tensor record(Tape tape) {
        Tensor y = tape.output(x.shape());
        call(x, y);
        return tape.record(y, this, x);
    }

    private void call(Tensor source, Tensor destination) {
        NativeContext context = x.device().context();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment problem = vg_dropout.allocate(arena);
            vg_dropout.size(problem, vg_dropout.sizeof());
            vg_dropout.n(problem, source.shape().n());
            vg_dropout.voxels(problem, source.shape().voxels());
            vg_dropout.c(problem, source.shape().c());
            vg_dropout.x_stride(problem, source.stride());
            vg_dropout.y_stride(problem, destination.stride());
            vg_dropout.seed(problem, draw.seed());
            vg_dropout.stream(problem, draw.stream());
            vg_dropout.p(problem, p);
            vg_dropout.per_channel(problem, unit == Unit.CHANNEL ? 1 : 0);
            x.device()
                    .announce(Work.of(
                            "dropout",
                            source.shape().elements(),
                            source,
                            destination,
                            Work.bytes(source, destination)));
            context.check(VoxgradH.vg_dropout_apply(
                    context.handle(),
                    problem,
                    source.data(),
                    keep.map(Labels::data).orElse(MemorySegment.NULL),
                    destination.data()));
        }
    }

    @Override
    public void backward(Tensor dy, Gradients gradients) {
        Tensor dx = gradients.make(x.shape());
        call(dy, dx);
        gradients.give(x, dx);
    }
}
