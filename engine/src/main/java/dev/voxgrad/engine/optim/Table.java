package dev.voxgrad.engine.optim;

import dev.voxgrad.bindings.NativeContext;
import dev.voxgrad.engine.ShapeException;
import dev.voxgrad.engine.autograd.Gradients;
import dev.voxgrad.engine.nn.Parameters;
import dev.voxgrad.engine.tensor.Shape;
import dev.voxgrad.engine.tensor.Tensor;
import dev.voxgrad.engine.tensor.Work;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;

/** The parameters that have a gradient, as the arrays of lengths and pointers that the native calls take. */
final class Table {
    private final List<String> names = new ArrayList<>();
    private final List<Tensor> parameters = new ArrayList<>();
    private final List<Tensor> gradients = new ArrayList<>();

    Table(Parameters parameters, Gradients gradients) {
        parameters.byName().forEach((name, parameter) -> {
            Optional<Tensor> gradient = gradients.of(parameter);
            if (gradient.isPresent()) {
                if (!gradient.get().dense()) {
                    throw new ShapeException("optimizer: the gradient of " + name + " is not dense");
                }
                this.names.add(name);
                this.parameters.add(parameter);
                this.gradients.add(gradient.get());
            }
        });
    }

    boolean isEmpty() {
        return names.isEmpty();
    }

    long count() {
        return names.size();
    }

    /** Names of the parameters, in the order of the table. */
    List<String> names() {
        return names;
    }

    NativeContext context() {
        return parameters.get(0).device().context();
    }

    MemorySegment lengths(Arena arena) {
        return lengths(arena, parameters);
    }

    MemorySegment parameters(Arena arena) {
        return pointers(arena, parameters);
    }

    MemorySegment gradients(Arena arena) {
        return pointers(arena, gradients);
    }

    /** The pointers of state tensors, in the order of the table. */
    MemorySegment states(Arena arena, Map<String, Tensor> state, UnaryOperator<String> stateName) {
        return pointers(
                arena, names.stream().map(n -> state.get(stateName.apply(n))).toList());
    }

    /**
     * Says what the kernel that gets this table does.
     *
     * @param flops operations per element
     * @param passes how often the kernel reads or writes a number per element
     */
    void announce(String kernel, long flops, long passes) {
        announce(kernel, flops, passes, parameters);
    }

    static void announce(String kernel, long flops, long passes, List<Tensor> tensors) {
        long elements = tensors.stream().mapToLong(t -> t.shape().elements()).sum();
        Shape all = Shape.vector(elements);
        tensors.getFirst()
                .device()
                .announce(Work.of(kernel, flops * elements, all, all, passes * elements * Float.BYTES));
    }

    static MemorySegment lengths(Arena arena, List<Tensor> tensors) {
        MemorySegment array = arena.allocate(ValueLayout.JAVA_LONG, tensors.size());
        for (int i = 0; i < tensors.size(); i++) {
            array.setAtIndex(ValueLayout.JAVA_LONG, i, tensors.get(i).shape().elements());
        }
        return array;
    }

    static MemorySegment pointers(Arena arena, List<Tensor> tensors) {
        MemorySegment array = arena.allocate(ValueLayout.ADDRESS, tensors.size());
        for (int i = 0; i < tensors.size(); i++) {
            array.setAtIndex(ValueLayout.ADDRESS, i, tensors.get(i).data());
        }
        return array;
    }
}
