package dev.voxgrad.engine.op;

import dev.voxgrad.bindings.NativeContext;
import dev.voxgrad.bindings.ffi.VoxgradH;
import dev.voxgrad.bindings.ffi.vg_topk;
import dev.voxgrad.engine.tensor.Shape;
import dev.voxgrad.engine.tensor.Tensor;
import dev.voxgrad.engine.tensor.Work;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;

/**
 * One number per voxel of a batch, 0 where a voxel does not count. A formula reduces them to a value and leaves the derivatives by them
 * in their place; it calls {@link #selectLargest} or {@link #map} once. Derivatives at voxels that do not count are never looked at.
 */
public final class VoxelLosses {
    /** What happens to equal numbers when not all of them can be selected. */
    public enum Ties {
        /** Those with the smallest index are selected. */
        FIRST,
        /** All of them share the open places evenly. */
        SHARED
    }

    /** A function of one number and its derivative, in one call because they share what is slow to compute. */
    @FunctionalInterface
    public interface Function {
        /**
         * Returns the value.
         *
         * @param derivative its first entry becomes the derivative
         */
        double evaluate(double x, double[] derivative);
    }

    /** Voxels per partial sum: the blocks, and so the rounding, do not depend on the number of threads. */
    private static final int BLOCK = 16384;

    private final Tensor values;
    private final long[] counted;

    /**
     * A view.
     *
     * @param values [N,D,H,W,1], dense
     * @param counted voxels that count in each sample
     */
    VoxelLosses(Tensor values, long... counted) {
        this.values = values;
        this.counted = counted.clone();
    }

    /** Number of samples. */
    public int samples() {
        return counted.length;
    }

    /** Voxels of one sample, whether they count or not. */
    public long voxels() {
        return values.shape().voxels();
    }

    /** Voxels of one sample that count. */
    public long counted(int sample) {
        return counted[sample];
    }

    /**
     * Sum over the rows of factor * the sum of the largest numbers of the row. NaN is larger than every other number.
     *
     * @param select how many of each row: one entry for the whole batch as one row, or one for each sample
     * @param factor of each row
     */
    public double selectLargest(List<Long> select, List<Double> factor, Ties ties) {
        int rows = select.size();
        Shape s = values.shape();
        if (rows != 1 && rows != s.n() || factor.size() != rows) {
            throw new IllegalArgumentException(rows + " counts and " + factor.size() + " factors for " + s.n()
                    + " samples; give one each for the batch or one per sample");
        }
        NativeContext context = values.device().context();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment p = vg_topk.allocate(arena);
            vg_topk.size(p, vg_topk.sizeof());
            vg_topk.rows(p, rows);
            vg_topk.count(p, s.elements() / rows);
            vg_topk.ties(p, ties.ordinal());
            vg_topk.reserved(p, 0);
            MemorySegment selects = arena.allocate(ValueLayout.JAVA_LONG, rows);
            MemorySegment factors = arena.allocate(ValueLayout.JAVA_FLOAT, rows);
            for (int row = 0; row < rows; row++) {
                selects.setAtIndex(ValueLayout.JAVA_LONG, row, select.get(row));
                factors.setAtIndex(ValueLayout.JAVA_FLOAT, row, factor.get(row).floatValue());
            }
            MemorySegment sums = arena.allocate(ValueLayout.JAVA_DOUBLE, rows);
            values.device().announce(Work.of("topk_select", s.elements(), values, values, Work.bytes(values, values)));
            context.check(
                    VoxgradH.vg_topk_select(context.handle(), p, values.data(), selects, factors, sums, values.data()));
            double total = 0;
            for (int row = 0; row < rows; row++) {
                total += factor.get(row) * sums.getAtIndex(ValueLayout.JAVA_DOUBLE, row);
            }
            return total;
        }
    }

    /**
     * factor * the sum of a function over the voxels that count. The numbers of a GPU travel to the host and back.
     *
     * @param function called from as many threads as the device has
     */
    public double map(double factor, Function function) {
        boolean host = values.hostMemory();
        MemorySegment numbers = host ? values.data() : MemorySegment.ofArray(values.toArray());
        long count = values.shape().elements();
        // A voxel that does not count holds 0: measured from function(0) it adds exactly nothing.
        double atZero = function.evaluate(0, new double[1]);
        double[] partial = new double[Math.toIntExact((count + BLOCK - 1) / BLOCK)];
        values.device().forEachBlock(partial.length, block -> {
            long start = (long) block * BLOCK;
            float[] x = new float[(int) Math.min(BLOCK, count - start)]; // an array is what Java reads fastest
            MemorySegment.copy(numbers, ValueLayout.JAVA_FLOAT, start * Float.BYTES, x, 0, x.length);
            double[] derivative = new double[1];
            double sum = 0;
            for (int i = 0; i < x.length; i++) {
                sum += function.evaluate(x[i], derivative) - atZero;
                x[i] = (float) (factor * derivative[0]);
            }
            MemorySegment.copy(x, 0, numbers, ValueLayout.JAVA_FLOAT, start * Float.BYTES, x.length);
            partial[block] = sum;
        });
        if (!host) {
            values.set(numbers);
        }
        double total = Arrays.stream(counted).sum() * atZero;
        for (double sum : partial) { // in their order, so that the rounding is always the same
            total += sum;
        }
        return factor * total;
    }
}
