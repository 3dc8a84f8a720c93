package dev.voxgrad.engine.op;

import dev.voxgrad.bindings.NativeContext;
import dev.voxgrad.bindings.ffi.VoxgradH;
import dev.voxgrad.bindings.ffi.vg_pad;
import dev.voxgrad.engine.ShapeException;
import dev.voxgrad.engine.autograd.Gradients;
import dev.voxgrad.engine.autograd.Op;
import dev.voxgrad.engine.autograd.Tape;
import dev.voxgrad.engine.tensor.Shape;
import dev.voxgrad.engine.tensor.Tensor;
import dev.voxgrad.engine.tensor.Work;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/**
 * Adds planes after the last index of each axis, PyTorch's {@code pad}: [N,D,H,W,C] to [N,D+d,H+h,W+w,C]. With replication the
 * gradient of an edge voxel is the sum over its copies.
 */
public final class Pad implements Op {
    /** What the new planes hold. */
    public enum Mode {
        ZEROS,
        REPLICATE
    }

    private final Tensor x;
    private final Triple after;
    private final Mode mode;

    private Pad(Tensor x, Triple after, Mode mode) {
        this.x = x;
        this.after = after;
        this.mode = mode;
    }

    /**
     * Applies it and records it on the tape.
     *
     * @param after number of planes to add to each axis, at least 0
     */
    public static Tensor apply(Tape tape, Tensor x, Triple after, Mode mode) {
        return apply(tape, x, after, mode, Optional.empty());
    }

    /**
     * Applies it and records it on the tape.
     *
     * @param after number of planes to add to each axis, at least 0
     * @param into where to write the result, for example the channel slice of a concatenation; empty = a new tensor
     */
    public static Tensor apply(Tape tape, Tensor x, Triple after, Mode mode, Optional<Tensor> into) {
        if (after.d() < 0 || after.h() < 0 || after.w() < 0) {
            throw new ShapeException(
                    "pad: " + after + " planes for " + x.shape() + "; numbers of planes are at least 0");
        }
        Shape s = x.shape();
        Pad op = new Pad(x, after, mode);
        Shape out = s.withGrid(s.d() + after.d(), s.h() + after.h(), s.w() + after.w());
        if (into.isPresent() && !into.get().shape().equals(out)) {
            throw new ShapeException(
                    "pad: result " + out + " does not fit into " + into.get().shape());
        }
        Tensor y = into.orElseGet(() -> tape.output(out));
        NativeContext context = x.device().context();
        try (Arena arena = Arena.ofConfined()) {
            x.device().announce(Work.of("pad_forward", 0, x, y, Work.bytes(x, y)));
            context.check(VoxgradH.vg_pad_forward(context.handle(), op.problem(arena, x, y), x.data(), y.data()));
        }
        return tape.record(y, op, x);
    }

    private MemorySegment problem(Arena arena, Tensor input, Tensor output) {
        MemorySegment p = vg_pad.allocate(arena);
        vg_pad.size(p, vg_pad.sizeof());
        vg_pad.n(p, input.shape().n());
        vg_pad.d(p, input.shape().d());
        vg_pad.h(p, input.shape().h());
        vg_pad.w(p, input.shape().w());
        vg_pad.c(p, input.shape().c());
        vg_pad.after_d(p, after.d());
        vg_pad.after_h(p, after.h());
        vg_pad.after_w(p, after.w());
        vg_pad.x_stride(p, input.stride());
        vg_pad.y_stride(p, output.stride());
        vg_pad.replicate(p, mode == Mode.REPLICATE ? 1 : 0);
        vg_pad.reserved(p, 0);
        return p;
    }

    @Override
    public void backward(Tensor dy, Gradients gradients) {
        Tensor dx = gradients.make(x.shape());
        NativeContext context = x.device().context();
        try (Arena arena = Arena.ofConfined()) {
            x.device().announce(Work.of("pad_backward", 0, dy, dx, Work.bytes(dy, dx)));
            context.check(VoxgradH.vg_pad_backward(context.handle(), problem(arena, dx, dy), dy.data(), dx.data()));
        }
        gradients.give(x, dx);
    }
}
