package dev.voxgrad.bench.torch;

import dev.voxgrad.engine.op.Triple;
import java.util.Arrays;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;

/** PyTorch's convolutions and pools by the number of axes of their input. */
final class Ops {
    private Ops() {}

    static Tensor conv(Tensor x, Tensor w, TensorOptional b, Triple stride, Triple padding) {
        int dim = (int) x.dim() - 2;
        long[] ones = axes(dim, Triple.of(1));
        return dim == 2
                ? torch.conv2d(x, w, b, axes(dim, stride), axes(dim, padding), ones, 1)
                : torch.conv3d(x, w, b, axes(dim, stride), axes(dim, padding), ones, 1);
    }

    static Tensor convTranspose(Tensor x, Tensor w, TensorOptional b, Triple stride) {
        int dim = (int) x.dim() - 2;
        long[] zeros = new long[dim];
        long[] ones = axes(dim, Triple.of(1));
        return dim == 2
                ? torch.conv_transpose2d(x, w, b, axes(dim, stride), zeros, zeros, 1, ones)
                : torch.conv_transpose3d(x, w, b, axes(dim, stride), zeros, zeros, 1, ones);
    }

    /** Windows next to each other. */
    static Tensor maxPool(Tensor x, Triple size) {
        int dim = (int) x.dim() - 2;
        return dim == 2 ? torch.max_pool2d(x, axes(dim, size)) : torch.max_pool3d(x, axes(dim, size));
    }

    /** Windows next to each other. */
    static Tensor averagePool(Tensor x, Triple size) {
        int dim = (int) x.dim() - 2;
        return dim == 2 ? torch.avg_pool2d(x, axes(dim, size)) : torch.avg_pool3d(x, axes(dim, size));
    }

    private static long[] axes(int dim, Triple t) {
        return Arrays.copyOfRange(new long[] {t.d(), t.h(), t.w()}, 3 - dim, 3);
    }
}
