package dev.voxgrad.engine.op;

import dev.voxgrad.bindings.NativeContext;
import dev.voxgrad.bindings.ffi.VoxgradH;
import dev.voxgrad.bindings.ffi.vg_pool;
import dev.voxgrad.engine.ShapeException;
import dev.voxgrad.engine.autograd.Gradients;
import dev.voxgrad.engine.autograd.Op;
import dev.voxgrad.engine.autograd.Tape;
import dev.voxgrad.engine.tensor.Shape;
import dev.voxgrad.engine.tensor.Tensor;
import dev.voxgrad.engine.tensor.Work;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Maximum or mean over blocks whose size is also the stride, PyTorch's {@code max_pool3d} and {@code avg_pool3d} in floor mode.
 *
 * <p>Input [N,D,H,W,C], output [N,D/kd,H/kh,W/kw,C], trailing voxels dropped. The gradient of a maximum goes to the first largest
 * voxel of the block in row-major order; only the maximum keeps its input.
 */
public final class Pool implements Op {
    /** The kinds of {@code vg_pool_kind}, in its order. */
    public enum Kind {
        MAX,
        AVERAGE
    }

    private final Tensor x;
    private final Kind kind;
    private final Triple kernel;

    private Pool(Tensor x, Kind kind, Triple kernel) {
        this.x = x;
        this.kind = kind;
        this.kernel = kernel;
    }

    /** Applies it to the values of a map, which stays, and records it on the tape. */
    public static FeatureMap apply(Tape tape, FeatureMap x, Kind kind, Triple kernel) {
        Tensor values = x.values(tape);
        Tensor y = apply(tape, values, kind, kernel);
        x.done(tape, values);
        return FeatureMap.of(y);
    }

    /** Applies it and records it on the tape. */
    public static Tensor apply(Tape tape, Tensor x, Kind kind, Triple kernel) {
        Shape s = x.shape();
        if (kernel.d() < 1
                || kernel.h() < 1
                || kernel.w() < 1
                || s.d() < kernel.d()
                || s.h() < kernel.h()
                || s.w() < kernel.w()) {
            throw new ShapeException("pool: kernel " + kernel + " does not fit the input " + s);
        }
        Pool op = new Pool(x, kind, kernel);
        Tensor y = tape.output(s.withGrid(s.d() / kernel.d(), s.h() / kernel.h(), s.w() / kernel.w()));
        NativeContext context = x.device().context();
        try (Arena arena = Arena.ofConfined()) {
            x.device().announce(Work.of("pool_forward", s.elements(), x, y, Work.bytes(x, y)));
            context.check(VoxgradH.vg_pool_forward(context.handle(), op.problem(arena, x, y), x.data(), y.data()));
        }
        return tape.record(y, op, x);
    }

    private MemorySegment problem(Arena arena, Tensor input, Tensor output) {
        MemorySegment p = vg_pool.allocate(arena);
        vg_pool.size(p, vg_pool.sizeof());
        vg_pool.n(p, input.shape().n());
        vg_pool.d(p, input.shape().d());
        vg_pool.h(p, input.shape().h());
        vg_pool.w(p, input.shape().w());
        vg_pool.c(p, input.shape().c());
        vg_pool.kd(p, kernel.d());
        vg_pool.kh(p, kernel.h());
        vg_pool.kw(p, kernel.w());
        vg_pool.x_stride(p, input.stride());
        vg_pool.y_stride(p, output.stride());
        vg_pool.kind(p, kind.ordinal());
        vg_pool.reserved(p, 0);
        return p;
    }

    @Override
    public void backward(Tensor dy, Gradients gradients) {
        Tensor dx = gradients.make(x.shape());
        // The maximum reads x with dx's stride, so a slice is copied.
        boolean copied = kind == Kind.MAX && !x.dense();
        Tensor input = copied ? x.copy(gradients.scope()) : x;
        NativeContext context = x.device().context();
        try (Arena arena = Arena.ofConfined()) {
            long bytes = Work.bytes(dy, dx) + (kind == Kind.MAX ? Work.bytes(input) : 0);
            x.device().announce(Work.of("pool_backward", x.shape().elements(), dy, dx, bytes));
            context.check(VoxgradH.vg_pool_backward(
                    context.handle(),
                    problem(arena, dx, dy),
                    kind == Kind.MAX ? input.data() : MemorySegment.NULL,
                    dy.data(),
                    dx.data()));
        }
        if (copied) {
            gradients.scope().free(input);
        }
        gradients.give(x, dx);
    }
}
