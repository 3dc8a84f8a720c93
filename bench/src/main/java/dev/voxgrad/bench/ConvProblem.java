package dev.voxgrad.bench;

import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.op.Triple;
import dev.voxgrad.engine.tensor.Shape;
import java.util.List;

/**
 * A convolution layer without bias, with a cubic kernel (flat for depth 1) and zero padding (k-1)/2.
 *
 * @param precision what the kernels may do to numbers: {@code default}
 */
public record ConvProblem(
        String name, Shape input, int outputChannels, int kernelSize, int strideSize, String precision)
        implements Problem {
    /** Checks the precision. */
    public ConvProblem {
        if (!precision.equals("default")) {
            throw new ConfigException(name + ": there is no precision \"" + precision + "\"; use default");
        }
    }

    static ConvProblem of(Rows.Row row) {
        return new ConvProblem(
                row.text("name"),
                row.shape("in"),
                row.integer("out"),
                row.integer("kernel"),
                row.integer("stride"),
                row.text("precision"));
    }

    /** Kernel sizes. */
    public Triple kernel() {
        return axes(kernelSize, 1);
    }

    /** Strides. */
    public Triple stride() {
        return axes(strideSize, 1);
    }

    /** Zeros on each side. */
    public Triple padding() {
        return axes((kernelSize - 1) / 2, 0);
    }

    private Triple axes(int size, int flat) {
        return new Triple(input.d() == 1 ? flat : size, size, size);
    }

    /** [Co,kd,kh,kw,Ci]. */
    public Shape weight() {
        Triple k = kernel();
        return new Shape(outputChannels, k.d(), k.h(), k.w(), input.c());
    }

    /** Sizes of the output. */
    public Shape output() {
        Triple k = kernel();
        Triple s = stride();
        Triple p = padding();
        return new Shape(
                input.n(),
                (input.d() + 2L * p.d() - k.d()) / s.d() + 1,
                (input.h() + 2L * p.h() - k.h()) / s.h() + 1,
                (input.w() + 2L * p.w() - k.w()) / s.w() + 1,
                outputChannels);
    }

    /** Input values. */
    public float[] x() {
        return Data.normal(1, input.elements());
    }

    /** Weights that keep the variance of the input. */
    public float[] w() {
        float[] w = Data.normal(2, weight().elements());
        double scale = 1 / Math.sqrt((double) input.c() * weight().voxels());
        for (int i = 0; i < w.length; i++) {
            w[i] = (float) (w[i] * scale);
        }
        return w;
    }

    /** Gradient of the output. */
    public float[] dy() {
        return Data.normal(3, output().elements());
    }

    @Override
    public List<Direction> directions() {
        return List.of(Direction.FORWARD, Direction.BACKWARD);
    }

    @Override
    public double flops(Direction direction) {
        Shape y = output();
        double once = 2.0 * y.elements() * input.c() * weight().voxels();
        return direction == Direction.FORWARD ? once : 2 * once;
    }

    @Override
    public double bytes(Direction direction) {
        double once = Float.BYTES * (double) (input.elements() + weight().elements() + output().elements());
        // Backward: read x, w, dy and write dx, dw; dy counts once.
        return direction == Direction.FORWARD ? once : 2 * once - Float.BYTES * (double) output().elements();
    }

    /** Float32 sums over up to 3e5 products. */
    @Override
    public double tolerance() {
        return 1e-4;
    }
}
