package dev.voxgrad.engine.op;

import dev.voxgrad.bindings.ffi.VoxgradH;
import dev.voxgrad.bindings.ffi.vg_conv3d;
import dev.voxgrad.engine.tensor.Tensor;
import dev.voxgrad.engine.tensor.Work;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

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
        vg_conv3d.precision(p, VoxgradH.VG_PRECISION_DEFAULT());
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

    /** The kernel sizes of a weight tensor [A,kd,kh,kw,B]. */
    static Triple kernel(Tensor w) {
        return new Triple(
                Math.toIntExact(w.shape().d()),
                Math.toIntExact(w.shape().h()),
                Math.toIntExact(w.shape().w()));
    }
}
