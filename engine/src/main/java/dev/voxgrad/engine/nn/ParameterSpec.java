package dev.voxgrad.engine.nn;

import dev.voxgrad.engine.op.Triple;
import dev.voxgrad.engine.tensor.Shape;
import java.util.ArrayList;
import java.util.List;

/**
 * A parameter before it has memory.
 *
 * @param name PyTorch's
 * @param role what it is for
 * @param shape in memory order: a weight is [A,kd,kh,kw,B] for PyTorch's (A,B,k...), anything else a vector
 * @param fanIn of the weight, or of the weight that a bias belongs to: B times the kernel's voxels; 1 for a norm
 */
public record ParameterSpec(String name, Role role, Shape shape, long fanIn) {
    /** The use of a parameter, which decides how it starts. */
    public enum Role {
        WEIGHT,
        BIAS,
        NORM_WEIGHT,
        NORM_BIAS,
        /** Weight of the norm that ends the branch of a residual block; 0 makes the block start as its skip connection. */
        BRANCH_NORM_WEIGHT
    }

    /** Weight and perhaps bias of a convolution from {@code in} to {@code out} channels. */
    static void convolution(List<ParameterSpec> specs, String name, long in, long out, Triple kernel, boolean bias) {
        weightAndBias(specs, name, new Shape(out, kernel.d(), kernel.h(), kernel.w(), in), out, bias);
    }

    /** Weight and perhaps bias of a transposed convolution; its fan-in is PyTorch's, counted with the output channels. */
    static void transposedConvolution(
            List<ParameterSpec> specs, String name, long in, long out, Triple kernel, boolean bias) {
        weightAndBias(specs, name, new Shape(in, kernel.d(), kernel.h(), kernel.w(), out), out, bias);
    }

    private static void weightAndBias(List<ParameterSpec> specs, String name, Shape weight, long out, boolean bias) {
        long fanIn = weight.c() * weight.voxels();
        specs.add(new ParameterSpec(name + ".weight", Role.WEIGHT, weight, fanIn));
        if (bias) {
            specs.add(new ParameterSpec(name + ".bias", Role.BIAS, Shape.vector(out), fanIn));
        }
    }

    /**
     * Scale and offset of a norm.
     *
     * @param endsBranch whether it is the last layer of a residual block's branch
     */
    static void norm(List<ParameterSpec> specs, String name, long channels, boolean endsBranch) {
        Role scale = endsBranch ? Role.BRANCH_NORM_WEIGHT : Role.NORM_WEIGHT;
        specs.add(new ParameterSpec(name + ".weight", scale, Shape.vector(channels), 1));
        specs.add(new ParameterSpec(name + ".bias", Role.NORM_BIAS, Shape.vector(channels), 1));
    }

    /** Sizes of the PyTorch tensor; a 2D kernel has no depth axis there. */
    public List<Long> torchShape(int dim) {
        List<Long> sizes = new ArrayList<>();
        if (role == Role.WEIGHT) {
            sizes.add(shape.n());
            sizes.add(shape.c());
            if (dim == 3) {
                sizes.add(shape.d());
            }
            sizes.add(shape.h());
            sizes.add(shape.w());
        } else {
            sizes.add(shape.c());
        }
        return List.copyOf(sizes);
    }

    /** Number of elements of all parameters. */
    public static long count(List<ParameterSpec> specs) {
        return specs.stream().mapToLong(s -> s.shape().elements()).sum();
    }
}
