package dev.voxgrad.engine.infer;

import dev.voxgrad.bindings.NativeContext;
import dev.voxgrad.bindings.ffi.VoxgradH;
import dev.voxgrad.bindings.ffi.vg_map;
import dev.voxgrad.bindings.ffi.vg_window;
import dev.voxgrad.engine.op.Triple;
import dev.voxgrad.engine.tensor.Scope;
import dev.voxgrad.engine.tensor.Shape;
import dev.voxgrad.engine.tensor.Tensor;
import dev.voxgrad.engine.tensor.Work;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * The weighted sums of logits for the planes that later tiles can still reach: a buffer as deep as a tile that moves along z.
 * {@link #moveTo} finishes the planes that fall out of it.
 */
final class Slab {
    private final Tensor sums; // [1, tile depth, H, W, classes]
    private final Tensor weightSums; // [1, tile depth, H, W, 1]
    private final Tensor weights; // of a tile
    private final Triple tile;
    private int origin;

    /**
     * An empty slab.
     *
     * @param origin index of its first plane in the volume, possibly negative
     */
    Slab(Scope scope, Triple tile, int height, int width, int classes, float[] weights, int origin) {
        this.tile = tile;
        this.origin = origin;
        this.sums = scope.zeros(new Shape(1, tile.d(), height, width, classes));
        this.weightSums = scope.zeros(new Shape(1, tile.d(), height, width, 1));
        this.weights = scope.tensor(new Shape(1, tile.d(), tile.h(), tile.w(), 1), weights);
    }

    int origin() {
        return origin;
    }

    /** Copies the tile at (z, y, x) of an image out, mirrored along some axes; voxels outside the image are 0. */
    static void gather(Tensor image, Tensor tile, int z, int y, int x, int mirrored) {
        NativeContext context = image.device().context();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment p = problem(arena, image.shape(), tile.shape(), z, y, x, mirrored);
            image.device().announce(Work.of("window_gather", 0, tile, tile, Work.bytes(tile, tile)));
            context.check(VoxgradH.vg_window_gather(context.handle(), p, image.data(), tile.data()));
        }
    }

    /** Adds the logits of a tile whose first plane is the slab's first one. */
    void add(Tensor logits, int y, int x, int mirrored, float factor) {
        NativeContext context = sums.device().context();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment p = problem(arena, sums.shape(), logits.shape(), 0, y, x, mirrored);
            // Logits times weight, added to sums that are read and written, and so are the sums of the weights.
            long bytes = Work.bytes(logits, logits, logits, weights, weights, weights);
            sums.device()
                    .announce(Work.of("window_accumulate", 3 * logits.shape().elements(), logits, logits, bytes));
            context.check(VoxgradH.vg_window_accumulate(
                    context.handle(), p, logits.data(), weights.data(), factor, sums.data(), weightSums.data()));
        }
    }

    private static MemorySegment problem(Arena arena, Shape volume, Shape tile, int z, int y, int x, int mirrored) {
        MemorySegment p = vg_window.allocate(arena);
        vg_window.size(p, vg_window.sizeof());
        vg_window.d(p, volume.d());
        vg_window.h(p, volume.h());
        vg_window.w(p, volume.w());
        vg_window.c(p, volume.c());
        vg_window.td(p, tile.d());
        vg_window.th(p, tile.h());
        vg_window.tw(p, tile.w());
        vg_window.oz(p, z);
        vg_window.oy(p, y);
        vg_window.ox(p, x);
        vg_window.flip_z(p, mirrored & 1);
        vg_window.flip_y(p, mirrored >> 1 & 1);
        vg_window.flip_x(p, mirrored >> 2 & 1);
        return p;
    }

    /**
     * Finishes all planes below a new origin, hands them to the sink, and moves the others to the front.
     *
     * @param depth planes of the volume; planes of the slab outside it are dropped
     */
    void moveTo(int newOrigin, int depth, PlaneSink sink) {
        int done = Math.min(newOrigin - origin, tile.d());
        if (done <= 0) {
            return;
        }
        for (int k = 0; k < done; k++) {
            int z = origin + k;
            if (z >= 0 && z < depth) {
                normalize(k);
                sink.accept(z, plane(k));
            }
        }
        shift(sums, done);
        shift(weightSums, done);
        origin = newOrigin;
    }

    private float[] plane(int k) {
        return sums.planes(k, 1).toArray();
    }

    private void normalize(int k) {
        NativeContext context = sums.device().context();
        try (Arena arena = Arena.ofConfined()) {
            Shape s = sums.shape();
            MemorySegment p = vg_map.allocate(arena);
            vg_map.size(p, vg_map.sizeof());
            vg_map.n(p, 1);
            vg_map.voxels(p, s.h() * s.w());
            vg_map.c(p, s.c());
            vg_map.x_stride(p, s.c());
            vg_map.y_stride(p, s.c());
            long bytes = Work.bytes(sums.planes(k, 1), sums.planes(k, 1), weightSums.planes(k, 1));
            Shape plane = sums.planes(k, 1).shape();
            sums.device().announce(Work.of("window_normalize", plane.elements(), plane, plane, bytes));
            context.check(VoxgradH.vg_window_normalize(
                    context.handle(),
                    p,
                    weightSums.planes(k, 1).data(),
                    sums.planes(k, 1).data()));
        }
    }

    /** Moves planes to the front in groups that do not overlap their target, then clears the rest. */
    private void shift(Tensor x, int by) {
        int depth = tile.d();
        for (int k = 0; k < depth - by; k += by) {
            int count = Math.min(by, depth - by - k);
            x.planes(k, count).setScaled(1, x.planes(k + by, count));
        }
        x.planes(depth - by, by).fill(0);
    }
}
