package dev.voxgrad.bench.onnx;

import dev.voxgrad.engine.nn.StateTensor;
import dev.voxgrad.engine.tensor.Shape;
import java.util.Arrays;
import java.util.List;

/** The way from our order of memory [N,D,H,W,C] to [N,C,D,H,W], the only one of ONNX, and back. */
final class ChannelsFirst {
    private ChannelsFirst() {}

    /** Sizes in the order of ONNX; depth 1 is left out in 2D. */
    static long[] sizes(Shape s, int dim) {
        return dim == 2 ? new long[] {s.n(), s.c(), s.h(), s.w()} : new long[] {s.n(), s.c(), s.d(), s.h(), s.w()};
    }

    /** Weights [Co,kd,kh,kw,Ci] as [Co,Ci,kd,kh,kw]. */
    static StateTensor weight(float[] values, Shape shape, int dim) {
        List<Long> sizes = Arrays.stream(sizes(shape, dim)).boxed().toList();
        return new StateTensor(sizes, of(values, shape));
    }

    static float[] of(float[] values, Shape s) {
        return transposed(values, Math.toIntExact(s.n()), values.length / Math.toIntExact(s.n() * s.c()), (int) s.c());
    }

    /** Back to our order. */
    static float[] toChannelsLast(float[] values, int batch, int channels) {
        return transposed(values, batch, channels, values.length / batch / channels);
    }

    private static float[] transposed(float[] values, int batch, int rows, int columns) {
        float[] result = new float[values.length];
        for (int n = 0; n < batch; n++) {
            int start = n * rows * columns;
            for (int r = 0; r < rows; r++) {
                for (int c = 0; c < columns; c++) {
                    result[start + c * rows + r] = values[start + r * columns + c];
                }
            }
        }
        return result;
    }
}
