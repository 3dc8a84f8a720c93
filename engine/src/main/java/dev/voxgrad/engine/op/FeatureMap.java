package dev.voxgrad.engine.op;

import dev.voxgrad.bindings.NativeContext;
import dev.voxgrad.bindings.ffi.VoxgradH;
import dev.voxgrad.engine.autograd.Gradients;
import dev.voxgrad.engine.autograd.Op;
import dev.voxgrad.engine.autograd.Tape;
import dev.voxgrad.engine.tensor.Shape;
import dev.voxgrad.engine.tensor.Tensor;
import dev.voxgrad.engine.tensor.Work;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * What one layer hands to the next: a tensor of values, or the output of a convolution as it stands before instance norm and
 * activation, with the norm table that leads to its values. Convolutions apply the table as they read ({@link Conv3d},
 * {@link ConvTranspose3d}), so that normalised activations are never stored; every other reader asks for {@link #values}.
 *
 * <p>With a table the values are f(a), a = scale x + shift, and the gradient that readers give to the tensor is dL/da, together with
 * its sums over the voxels, which the norm's own gradient needs ({@link NormTable}).
 */
public final class FeatureMap {
    private final Tensor tensor;
    private final Optional<Tensor> table; // [N,1,1,VG_NORM_ROWS,C]
    private final Consumer<Tensor> sums;

    /**
     * A stored map before its norm.
     *
     * @param sums takes the sums [N,1,1,2,C] of the gradient that a reader gives to the tensor
     */
    FeatureMap(Tensor tensor, Tensor table, Consumer<Tensor> sums) {
        this(tensor, Optional.of(table), sums);
    }

    private FeatureMap(Tensor tensor, Optional<Tensor> table, Consumer<Tensor> sums) {
        this.tensor = tensor;
        this.table = table;
        this.sums = sums;
    }

    /** A map of plain values. */
    public static FeatureMap of(Tensor values) {
        return new FeatureMap(values, Optional.empty(), ignored -> {});
    }

    /**
     * Declares that a buffer is the concatenation of two maps that were written into its channels. From now on they are read through
     * the buffer only.
     *
     * @param buffer whose first channels are {@code first} and whose last channels are {@code second}
     */
    public static FeatureMap concat(Tape tape, Tensor buffer, FeatureMap first, FeatureMap second) {
        Tensor both = Concat.of(tape, buffer, first.tensor, second.tensor);
        if (first.table.isEmpty() && second.table.isEmpty()) {
            return of(both);
        }
        long left = first.shape().c();
        long right = second.shape().c();
        Tensor table = tape.output(NormTable.rows(buffer.shape()));
        first.copyTable(tape, table.slice(0, left));
        second.copyTable(tape, table.slice(left, right));
        return new FeatureMap(both, table, sums -> {
            first.giveSums(sums.slice(0, left).copy(sums.scope()));
            second.giveSums(sums.slice(left, right).copy(sums.scope()));
        });
    }

    /**
     * A map whose way is not kept: the backward pass goes it again when it comes to it.
     *
     * @param forward makes the map from {@code input}
     * @param again does the same once more, with the same bits
     * @param weights what else it reads and learns
     * @param inPlace whether {@code again} writes to the memory of the first map
     */
    public static FeatureMap recomputed(
            Tape tape,
            Supplier<FeatureMap> forward,
            Supplier<FeatureMap> again,
            FeatureMap input,
            Collection<Tensor> weights,
            boolean inPlace) {
        List<Tensor> inputs = new ArrayList<>(weights);
        inputs.add(input.tensor);
        SumsOfReaders sums = new SumsOfReaders();
        List<Tensor> tables = new ArrayList<>();
        Tensor output = tape.recomputed(
                () -> {
                    FeatureMap map = forward.get();
                    map.table.ifPresent(tables::add);
                    return map.tensor;
                },
                () -> {
                    FeatureMap map = again.get();
                    tables.forEach(tape.scope()::free); // all readers are done
                    sums.total().ifPresent(map::giveSums);
                    return map.tensor;
                },
                inputs,
                inPlace);
        return tables.isEmpty() ? of(output) : new FeatureMap(output, tables.getFirst(), sums);
    }

    private void copyTable(Tape tape, Tensor into) {
        Tensor rows = table.orElseGet(() -> NormTable.identity(tape, shape()));
        into.setScaled(1, rows);
        tape.done(rows);
    }

    /** Shape of the values. */
    public Shape shape() {
        return tensor.shape();
    }

    /** The tensor that is stored: its identity is the map's in the record of the tape. */
    Tensor tensor() {
        return tensor;
    }

    Optional<Tensor> table() {
        return table;
    }

    /** Room for the sums of a reader's gradient; a map of plain values needs none. */
    Optional<Tensor> makeSums(Gradients gradients) {
        return table.map(ignored -> gradients.make(NormTable.sums(shape())));
    }

    /** Takes the sums of the gradient that a reader gives to the tensor. */
    void giveSums(Tensor sumsOfReader) {
        sums.accept(sumsOfReader);
    }

    /** The values as a tensor: the map's own, or a new one. Say {@link #done(Tape, Tensor)} when they are needed no more. */
    public Tensor values(Tape tape) {
        return table.isEmpty() ? tensor : Values.apply(tape, this, tape.output(shape()));
    }

    /** The values of a map that is needed no more. */
    public Tensor toValues(Tape tape) {
        Tensor values = values(tape);
        if (values != tensor) {
            done(tape);
        }
        return values;
    }

    /** Says that values from {@link #values} are needed no more, while the map still is. */
    public void done(Tape tape, Tensor values) {
        if (values != tensor) {
            tape.done(values);
        }
    }

    /** Says that nobody needs the map any more. */
    public void done(Tape tape) {
        tape.done(tensor);
        table.ifPresent(tape::done);
    }

    /** Norm and activation for readers that are no convolution. */
    private record Values(FeatureMap map) implements Op {
        static Tensor apply(Tape tape, FeatureMap map, Tensor y) {
            Tensor x = map.tensor;
            NativeContext context = x.device().context();
            try (Arena arena = Arena.ofConfined()) {
                x.device().announce(Work.of("norm_apply", 3 * x.shape().elements(), x, y, Work.bytes(x, y)));
                context.check(VoxgradH.vg_norm_apply(
                        context.handle(),
                        Tensor.map(arena, x, y),
                        x.data(),
                        map.table.orElseThrow().data(),
                        y.data()));
            }
            return tape.record(y, new Values(map), x);
        }

        @Override
        public void backward(Tensor dy, Gradients gradients) {
            Tensor x = map.tensor;
            Tensor sums = gradients.make(NormTable.sums(x.shape()));
            NativeContext context = x.device().context();
            try (Arena arena = Arena.ofConfined()) {
                x.device().announce(Work.of("norm_backward", 6 * x.shape().elements(), x, dy, Work.bytes(x, dy, dy)));
                context.check(VoxgradH.vg_norm_backward(
                        context.handle(),
                        Tensor.map(arena, x, dy),
                        x.data(),
                        map.table.orElseThrow().data(),
                        dy.data(),
                        dy.data(), // in place
                        sums.data()));
            }
            map.giveSums(sums);
            gradients.give(x, dy);
        }
    }
}
