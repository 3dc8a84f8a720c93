package dev.voxgrad.bench.peer;

import dev.voxgrad.engine.op.Triple;

/**
 * The layers of a peer that U-Nets are made of. Parameters are those of a PyTorch state dict: {@code NAME.weight} and, where there is
 * one, {@code NAME.bias}.
 *
 * @param <T> a tensor, or what stands for one in a graph
 */
public interface Layers<T> {
    /** Whether there is a parameter with this name. */
    boolean has(String parameter);

    /** Convolution with padding (k-1)/2. */
    T conv(String name, T x, Triple stride, Triple kernel);

    /** Transposed convolution with kernel = stride. */
    T convTranspose(String name, T x, Triple stride);

    /** Instance norm with scale and shift. */
    T norm(String name, T x, double eps);

    /** Leaky ReLU; may overwrite its input. */
    T leakyRelu(T x, double slope);

    /** x tanh(softplus(x)). */
    T mish(T x);

    /** Windows next to each other. */
    T maxPool(T x, Triple size);

    /** Windows next to each other. */
    T averagePool(T x, Triple size);

    /** Channels of both. */
    T concat(T first, T second);

    /** Sum; may overwrite the first. */
    T add(T first, T second);
}
