package dev.voxgrad.engine.op;

import dev.voxgrad.bindings.NativeContext;
import dev.voxgrad.bindings.ffi.VoxgradH;
import dev.voxgrad.bindings.ffi.vg_interpolate;
import dev.voxgrad.engine.autograd.Gradients;
import dev.voxgrad.engine.autograd.Op;
import dev.voxgrad.engine.autograd.Tape;
import dev.voxgrad.engine.tensor.Labels;
import dev.voxgrad.engine.tensor.Scope;
import dev.voxgrad.engine.tensor.Shape;
import dev.voxgrad.engine.tensor.Tensor;
import dev.voxgrad.engine.tensor.Work;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Resizes the grid of a tensor, PyTorch's {@code interpolate} to a given size: [N,D,H,W,C] to [N,D',H',W',C]. Nothing is kept for the
 * gradient, which is the transposed map.
 */
public final class Interpolate implements Op {
    /** The modes of {@code vg_interpolation}, in its order. */
    public enum Mode {
        /** Source index floor(i * in/out). */
        NEAREST,
        /** Source index floor((i + 0.5) * in/out), PyTorch's nearest-exact. */
        NEAREST_CENTRE,
        /** Linear between half-voxel centres, clamped at the first and last voxel. */
        LINEAR,
        /** Linear with the corners aligned: source position i * (in-1)/(out-1). */
        LINEAR_CORNERS
    }

    private final Tensor x;
    private final Triple size;
    private final Mode mode;

    private Interpolate(Tensor x, Triple size, Mode mode) {
        this.x = x;
        this.size = size;
        this.mode = mode;
    }

    /**
     * Applies it and records it on the tape.
     *
     * @param size the new depth, height and width
     */
    public static Tensor apply(Tape tape, Tensor x, Triple size, Mode mode) {
        Tensor y = tape.output(x.shape().withGrid(size.d(), size.h(), size.w()));
        NativeContext context = x.device().context();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment p = problem(arena, x.shape(), size, x.stride(), y.stride(), mode);
            x.device().announce(Work.of("interpolate_forward", flops(y, mode), x, y, Work.bytes(x, y)));
            context.check(VoxgradH.vg_interpolate_forward(context.handle(), p, x.data(), y.data()));
        }
        return tape.record(y, new Interpolate(x, size, mode), x);
    }

    /**
     * Resizes labels by nearest-exact, the rule for the targets of deep supervision.
     *
     * @param scope owner of the result
     * @param size the new depth, height and width
     */
    public static Labels resizeNearest(Scope scope, Labels labels, Triple size) {
        Shape in = labels.shape();
        Labels resized = scope.labels(in.withGrid(size.d(), size.h(), size.w()));
        NativeContext context = labels.device().context();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment p = problem(arena, in, size, in.c(), in.c(), Mode.NEAREST_CENTRE);
            long bytes = in.elements() + resized.shape().elements();
            labels.device().announce(Work.of("interpolate_labels", 0, in, resized.shape(), bytes));
            context.check(VoxgradH.vg_interpolate_labels(context.handle(), p, labels.data(), resized.data()));
        }
        return resized;
    }

    /** Eight corners, a multiplication and an addition each; the nearest voxel is a copy. */
    private static long flops(Tensor y, Mode mode) {
        return mode == Mode.LINEAR || mode == Mode.LINEAR_CORNERS
                ? 16 * y.shape().elements()
                : 0;
    }

    private static MemorySegment problem(Arena arena, Shape in, Triple size, long xStride, long yStride, Mode mode) {
        MemorySegment p = vg_interpolate.allocate(arena);
        vg_interpolate.size(p, vg_interpolate.sizeof());
        vg_interpolate.n(p, in.n());
        vg_interpolate.d(p, in.d());
        vg_interpolate.h(p, in.h());
        vg_interpolate.w(p, in.w());
        vg_interpolate.c(p, in.c());
        vg_interpolate.od(p, size.d());
        vg_interpolate.oh(p, size.h());
        vg_interpolate.ow(p, size.w());
        vg_interpolate.x_stride(p, xStride);
        vg_interpolate.y_stride(p, yStride);
        vg_interpolate.mode(p, mode.ordinal());
        vg_interpolate.reserved(p, 0);
        return p;
    }

    @Override
    public void backward(Tensor dy, Gradients gradients) {
        Tensor dx = gradients.make(x.shape());
        NativeContext context = x.device().context();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment p = problem(arena, x.shape(), size, dx.stride(), dy.stride(), mode);
            x.device().announce(Work.of("interpolate_backward", flops(dy, mode), dy, dx, Work.bytes(dy, dx)));
            context.check(VoxgradH.vg_interpolate_backward(context.handle(), p, dy.data(), dx.data()));
        }
        gradients.give(x, dx);
    }
}
