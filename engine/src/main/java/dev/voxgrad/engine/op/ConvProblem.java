package dev.voxgrad.engine.op;

import dev.voxgrad.bindings.ffi.vg_conv3d;
import dev.voxgrad.bindings.ffi.vg_conv_fusion;
import dev.voxgrad.engine.tensor.Tensor;
import dev.voxgrad.engine.tensor.Work;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/** Fills the struct {@code vg_conv3d}, which convolution and transposed convolution share. */
final class ConvProblem {
    private ConvProblem() {}

    /**
     * The sizes of one call.
     *
     * @param x input or its gradient
     * @param y output or its gradient
     * @param kernel sizes of the kernel
     */
    static MemorySegment of(Arena arena, Tensor x, Tensor y, Triple kernel, Triple stride, Triple padding) {
        MemorySegment p = vg_conv3d.allocate(arena);
        vg_conv3d.size(p, vg_conv3d.sizeof());
        vg_conv3d.n(p, x.shape().n());
        vg_conv3d.d(p, x.shape().d());
        vg_conv3d.h(p, x.shape().h());
        vg_conv3d.w(p, x.shape().w());
        vg_conv3d.ci(p, x.shape().c());
        vg_conv3d.co(p, y.shape().c());
        vg_conv3d.kd(p, kernel.d());
        vg_conv3d.kh(p, kernel.h());
        vg_conv3d.kw(p, kernel.w());
        vg_conv3d.sd(p, stride.d());
        vg_conv3d.sh(p, stride.h());
        vg_conv3d.sw(p, stride.w());
        vg_conv3d.pd(p, padding.d());
        vg_conv3d.ph(p, padding.h());
        vg_conv3d.pw(p, padding.w());
        vg_conv3d.x_stride(p, x.stride());
        vg_conv3d.y_stride(p, y.stride());
        vg_conv3d.precision(p, x.device().precision().ordinal());
        vg_conv3d.reserved(p, 0);
        return p;
    }

    /**
     * What a convolution or one of its gradients does at least: a multiplication and an addition for each weight and voxel, direct
     * convolution being what is counted, whatever the kernel does.
     *
     * @param grid the tensor with a voxel for each position of the kernel, and with the weight's first size as channels: the
     *     output of a convolution, the input of a transposed one, or its gradient
     * @param from what is read beside the weight, or beside the other feature map
     * @param to what is written
     * @param other the third tensor, read
     */
    static Work work(String kernel, Tensor grid, Tensor w, Tensor from, Tensor to, Tensor other) {
        long macs = grid.shape().elements() * (w.shape().elements() / w.shape().n());
        return Work.of(kernel, 2 * macs, from, to, Work.bytes(from, to, other));
    }

    /** The struct {@code vg_conv_fusion} for reading a map; NULL for plain values. */
    static MemorySegment reading(Arena arena, FeatureMap x) {
        return x.table().isEmpty() ? MemorySegment.NULL : fusion(arena, x);
    }

    /** The struct for the gradient of a map; NULL for plain values. */
    static MemorySegment gradient(Arena arena, FeatureMap x, Optional<Tensor> sums) {
        if (sums.isEmpty()) {
            return MemorySegment.NULL;
        }
        MemorySegment f = fusion(arena, x);
        vg_conv_fusion.x(f, x.tensor().data());
        vg_conv_fusion.x_stride(f, x.tensor().stride());
        vg_conv_fusion.sums(f, sums.get().data());
        return f;
    }

    /** The struct for reading a map and making the table of the output. */
    static MemorySegment normalizing(Arena arena, FeatureMap x, Conv3d.Norm norm, Tensor rows) {
        MemorySegment f = fusion(arena, x);
        vg_conv_fusion.y_norm(f, rows.data());
        vg_conv_fusion.gamma(f, norm.gamma().data());
        vg_conv_fusion.beta(f, norm.beta().data());
        vg_conv_fusion.eps(f, norm.eps());
        vg_conv_fusion.slope(f, norm.slope());
        return f;
    }

    private static MemorySegment fusion(Arena arena, FeatureMap x) {
        MemorySegment f = vg_conv_fusion.allocate(arena); // zeros: nothing is fused
        vg_conv_fusion.size(f, vg_conv_fusion.sizeof());
        x.table().ifPresent(table -> vg_conv_fusion.x_norm(f, table.data()));
        return f;
    }

    /** The kernel sizes of a weight tensor [A,kd,kh,kw,B]. */
    static Triple kernel(Tensor w) {
        return new Triple(
                Math.toIntExact(w.shape().d()),
                Math.toIntExact(w.shape().h()),
                Math.toIntExact(w.shape().w()));
    }
}
