package dev.voxgrad.engine.tensor;

/**
 * What one call of a kernel does at least, whatever algorithm does it: the two numbers of the roofline model (Williams, Waterman,
 * Patterson 2009). The formulas stand beside the calls.
 *
 * @param kernel name of the native function without {@code vg_}
 * @param flops floating-point operations; a convolution counts as a direct one, a function such as exp as one operation
 * @param bytes traffic that no cache can save: each operand once, twice if it is read and written
 * @param from sizes of what is read
 * @param to sizes of what is written
 */
public record Work(String kernel, long flops, long bytes, Shape from, Shape to) {
    /** The work of a call with tensors. */
    public static Work of(String kernel, long flops, Tensor from, Tensor to, long bytes) {
        return new Work(kernel, flops, bytes, from.shape(), to.shape());
    }

    /** The work of a call with other memory. */
    public static Work of(String kernel, long flops, Shape from, Shape to, long bytes) {
        return new Work(kernel, flops, bytes, from, to);
    }

    /** The bytes of these tensors, without the gaps of slices. */
    public static long bytes(Tensor... tensors) {
        long bytes = 0;
        for (Tensor tensor : tensors) {
            bytes += tensor.shape().elements() * Float.BYTES;
        }
        return bytes;
    }
}
