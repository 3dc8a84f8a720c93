package dev.voxgrad.bench.torch;

import dev.voxgrad.engine.tensor.Shape;
import java.util.Arrays;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.MemoryFormat;

/** Memory layouts of PyTorch's tensors, and the way there and back from ours. Depth 1 becomes PyTorch's 2D. */
enum Layout {
    CONTIGUOUS,
    CHANNELS_LAST;

    static Layout of(String setting) {
        return Arrays.stream(values())
                .filter(layout -> layout.toString().equals(setting))
                .findFirst()
                .orElseThrow();
    }

    /** Axes of the grid: 2 for depth 1, else 3. */
    static int dim(Shape shape) {
        return shape.d() == 1 ? 2 : 3;
    }

    /** A tensor (N,C,D,H,W) or (N,C,H,W) from values in NDHWC order; weights likewise, Co being N. */
    Tensor tensor(float[] values, Shape shape, int dim) {
        Tensor t = dim == 2
                ? Tensor.create(values, shape.n(), shape.h(), shape.w(), shape.c())
                        .permute(0, 3, 1, 2)
                : Tensor.create(values, shape.n(), shape.d(), shape.h(), shape.w(), shape.c())
                        .permute(0, 4, 1, 2, 3);
        return arranged(t);
    }

    /** A dense copy of a tensor with channels in this layout; others as they are. */
    Tensor arranged(Tensor t) {
        return dense(t).clone();
    }

    /** The same, the tensor itself if it is so already. */
    Tensor dense(Tensor t) {
        MemoryFormat format = this == CONTIGUOUS || t.dim() < 4
                ? MemoryFormat.Contiguous
                : t.dim() == 4 ? MemoryFormat.ChannelsLast : MemoryFormat.ChannelsLast3d;
        return t.contiguous(format);
    }

    /** Values of a tensor with channels in NDHWC order. */
    static float[] ndhwc(Tensor t) {
        return values(t.dim() == 4 ? t.permute(0, 2, 3, 1) : t.permute(0, 2, 3, 4, 1));
    }

    /** Values in the order of the axes. */
    static float[] values(Tensor t) {
        Tensor dense = t.detach().contiguous();
        float[] values = new float[Math.toIntExact(dense.numel())];
        new FloatPointer(dense.data_ptr()).get(values);
        return values;
    }

    @Override
    public String toString() {
        return this == CONTIGUOUS ? "contiguous" : "channels-last";
    }
}
