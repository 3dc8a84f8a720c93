package dev.voxgrad.bench;

import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.op.Triple;
import dev.voxgrad.engine.tensor.Precision;
import dev.voxgrad.engine.tensor.Shape;
import java.util.List;

/**
 * A convolution layer without bias.
 *
 * @param padding zeros on each side; none when transposed
 * @param transposed a transposed convolution whose stride is its kernel
 */
public record ConvProblem(
        String name,
        Shape input,
        int outputChannels,
        Triple kernel,
        Triple stride,
        Triple padding,
        boolean transposed,
        Precision precision)
        implements Problem {
    /** A convolution with a cubic kernel (flat for depth 1) and zero padding (k-1)/2. */
    public static ConvProblem of(String name, Shape input, int outputChannels, int kernel, int stride) {
        boolean flat = input.d() == 1;
        return convolution(name, input, outputChannels, cube(kernel, flat), cube(stride, flat), Precision.DEFAULT);
    }

    /** A transposed convolution with kernel = stride. */
    public static ConvProblem transposed(String name, Shape input, int outputChannels, Triple kernel) {
        return new ConvProblem(name, input, outputChannels, kernel, kernel, Triple.of(0), true, Precision.DEFAULT);
    }

    static ConvProblem of(Rows.Row row) {
        Shape input = row.shape("in");
        Triple kernel = triple(row, "kernel", input.d() == 1);
        Triple stride = triple(row, "stride", input.d() == 1);
        String name = row.text("name");
        Precision precision = row.precision();
        return switch (row.text("op")) {
            case "conv" -> convolution(name, input, row.integer("out"), kernel, stride, precision);
            case "transposed" -> {
                if (!kernel.equals(stride)) {
                    throw new ConfigException(row.place() + ": the stride of a transposed convolution is its kernel");
                }
                yield new ConvProblem(name, input, row.integer("out"), kernel, stride, Triple.of(0), true, precision);
            }
            default ->
                throw new ConfigException(row.place() + ": op is \"" + row.text("op") + "\"; use conv or transposed");
        };
    }

    private static ConvProblem convolution(
            String name, Shape input, int outputChannels, Triple kernel, Triple stride, Precision precision) {
        Triple padding = new Triple((kernel.d() - 1) / 2, (kernel.h() - 1) / 2, (kernel.w() - 1) / 2);
        return new ConvProblem(name, input, outputChannels, kernel, stride, padding, false, precision);
    }

    /** One number for a cube, flat for depth 1, or three as in 1x2x2. */
    private static Triple triple(Rows.Row row, String column, boolean flat) {
        String[] sizes = row.text(column).split("x");
        if (sizes.length == 1) {
            return cube(row.integer(column), flat);
        }
        try {
            return new Triple(Integer.parseInt(sizes[0]), Integer.parseInt(sizes[1]), Integer.parseInt(sizes[2]));
        } catch (NumberFormatException | ArrayIndexOutOfBoundsException e) {
            throw new ConfigException(
                    row.place() + ": " + column + " is \"" + row.text(column) + "\", not 3 or 1x3x3", e);
        }
    }

    private static Triple cube(int size, boolean flat) {
        return new Triple(flat ? 1 : size, size, size);
    }

    /** [Co,kd,kh,kw,Ci], transposed [Ci,kd,kh,kw,Co]. */
    public Shape weight() {
        return transposed
                ? new Shape(input.c(), kernel.d(), kernel.h(), kernel.w(), outputChannels)
                : new Shape(outputChannels, kernel.d(), kernel.h(), kernel.w(), input.c());
    }

    /** Sizes of the output. */
    public Shape output() {
        return new Shape(
                input.n(),
                size(input.d(), kernel.d(), stride.d(), padding.d()),
                size(input.h(), kernel.h(), stride.h(), padding.h()),
                size(input.w(), kernel.w(), stride.w(), padding.w()),
                outputChannels);
    }

    private long size(long in, int k, int s, int p) {
        return transposed ? in * k : (in + 2L * p - k) / s + 1;
    }

    /** Products for each output. */
    private double products() {
        return transposed ? input.c() : (double) input.c() * weight().voxels();
    }

    /** Input values. */
    public float[] x() {
        return Data.normal(1, input.elements());
    }

    /** Weights that keep the variance of the input. */
    public float[] w() {
        float[] w = Data.normal(2, weight().elements());
        double scale = 1 / Math.sqrt(products());
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
        double once = 2.0 * output().elements() * products();
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
