package dev.voxgrad.bench.onednn;

import dev.voxgrad.bench.ConvProblem;
import dev.voxgrad.bench.Direction;
import dev.voxgrad.bench.Side;
import dev.voxgrad.engine.op.Triple;
import dev.voxgrad.engine.tensor.Shape;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A convolution with every tensor in the layout that oneDNN asks for. Inputs and weights are brought there before, results are taken
 * from there after the timed part: what a graph compiler gets at best.
 */
final class DnnlConv implements Side.Run {
    /** One primitive with its memories. */
    private record Step(MemorySegment primitive, MemorySegment arguments, int count) {}

    private final Dnnl dnnl;
    private final ConvProblem problem;
    private final int dim;
    private final Arena arena = Arena.ofConfined();
    private final List<Step> steps = new ArrayList<>();
    private final List<Runnable> destroy = new ArrayList<>();
    private final Map<String, Runnable> fetch = new LinkedHashMap<>();
    private final Map<String, float[]> answer = new LinkedHashMap<>();
    private final MemorySegment forward;

    DnnlConv(Dnnl dnnl, ConvProblem problem, Direction direction) {
        this.dnnl = dnnl;
        this.problem = problem;
        dim = problem.input().d() == 1 ? 2 : 3;
        MemorySegment x = dnnl.description(arena, sizes(problem.input()), Dnnl.ANY);
        MemorySegment w = dnnl.description(arena, sizes(problem.weight()), Dnnl.ANY);
        MemorySegment y = dnnl.description(arena, sizes(problem.output()), Dnnl.ANY);
        MemorySegment op = Dnnl.struct(arena);
        dnnl.call(
                "dnnl_convolution_forward_desc_init",
                op,
                Dnnl.FORWARD_TRAINING,
                Dnnl.ALGORITHM_AUTO,
                x,
                w,
                MemorySegment.NULL,
                y,
                strides(),
                padding(),
                padding());
        forward = description(op, MemorySegment.NULL);
        if (direction == Direction.FORWARD) {
            step(
                    forward,
                    Map.of(
                            Dnnl.SRC, input(forward, Dnnl.QUERY_SRC, problem.input(), problem.x()),
                            Dnnl.WEIGHTS, input(forward, Dnnl.QUERY_WEIGHTS, problem.weight(), problem.w()),
                            Dnnl.DST, result("y", forward, Dnnl.QUERY_DST, problem.output())));
        } else {
            backwardData(x, w, y);
            backwardWeights(x, w, y);
        }
    }

    private void backwardData(MemorySegment x, MemorySegment w, MemorySegment y) {
        MemorySegment op = Dnnl.struct(arena);
        dnnl.call(
                "dnnl_convolution_backward_data_desc_init",
                op,
                Dnnl.ALGORITHM_AUTO,
                x,
                w,
                y,
                strides(),
                padding(),
                padding());
        MemorySegment data = description(op, forward);
        step(
                data,
                Map.of(
                        Dnnl.DIFF_DST, input(data, Dnnl.QUERY_DIFF_DST, problem.output(), problem.dy()),
                        Dnnl.WEIGHTS, input(data, Dnnl.QUERY_WEIGHTS, problem.weight(), problem.w()),
                        Dnnl.DIFF_SRC, result("dx", data, Dnnl.QUERY_DIFF_SRC, problem.input())));
    }

    private void backwardWeights(MemorySegment x, MemorySegment w, MemorySegment y) {
        MemorySegment op = Dnnl.struct(arena);
        dnnl.call(
                "dnnl_convolution_backward_weights_desc_init",
                op,
                Dnnl.ALGORITHM_AUTO,
                x,
                w,
                MemorySegment.NULL,
                y,
                strides(),
                padding(),
                padding());
        MemorySegment weights = description(op, forward);
        step(
                weights,
                Map.of(
                        Dnnl.SRC, input(weights, Dnnl.QUERY_SRC, problem.input(), problem.x()),
                        Dnnl.DIFF_DST, input(weights, Dnnl.QUERY_DIFF_DST, problem.output(), problem.dy()),
                        Dnnl.DIFF_WEIGHTS, result("dw", weights, Dnnl.QUERY_DIFF_WEIGHTS, problem.weight())));
    }

    private MemorySegment description(MemorySegment op, MemorySegment hint) {
        MemorySegment made = dnnl.create("dnnl_primitive_desc_create", op, MemorySegment.NULL, dnnl.engine(), hint);
        destroy.addFirst(() -> dnnl.call("dnnl_primitive_desc_destroy", made));
        return made;
    }

    private void step(MemorySegment description, Map<Integer, MemorySegment> memories) {
        MemorySegment primitive = dnnl.create("dnnl_primitive_create", description);
        destroy.addFirst(() -> dnnl.call("dnnl_primitive_destroy", primitive));
        steps.add(new Step(primitive, Dnnl.arguments(arena, memories), memories.size()));
    }

    /** Memory in the layout that the primitive asks for. */
    private MemorySegment memory(MemorySegment description) {
        MemorySegment memory = dnnl.memory(description);
        destroy.addFirst(() -> dnnl.call("dnnl_memory_destroy", memory));
        return memory;
    }

    private MemorySegment input(MemorySegment primitive, int what, Shape shape, float[] values) {
        MemorySegment wanted = dnnl.query(primitive, what);
        MemorySegment memory = memory(wanted);
        exchange(shape, (plainDescription, plain, data) -> {
            MemorySegment.copy(values, 0, data, ValueLayout.JAVA_FLOAT, 0, values.length);
            dnnl.reorder(plainDescription, plain, wanted, memory);
        });
        return memory;
    }

    private MemorySegment result(String name, MemorySegment primitive, int what, Shape shape) {
        MemorySegment wanted = dnnl.query(primitive, what);
        MemorySegment memory = memory(wanted);
        fetch.put(
                name,
                () -> exchange(shape, (plainDescription, plain, data) -> {
                    dnnl.reorder(wanted, memory, plainDescription, plain);
                    answer.put(name, data.toArray(ValueLayout.JAVA_FLOAT));
                }));
        return memory;
    }

    private interface Exchange {
        void run(MemorySegment plainDescription, MemorySegment plain, MemorySegment data);
    }

    /** With a tensor in our order of memory, for a moment. */
    private void exchange(Shape shape, Exchange exchange) {
        try (Arena moment = Arena.ofConfined()) {
            MemorySegment description = dnnl.channelsLast(moment, sizes(shape));
            MemorySegment plain = dnnl.memory(description);
            exchange.run(description, plain, dnnl.data(plain, shape.elements() * Float.BYTES));
            dnnl.call("dnnl_memory_destroy", plain);
        }
    }

    /** (N,C,D,H,W), or (N,C,H,W) for depth 1; of weights (Co,Ci,...). */
    private long[] sizes(Shape s) {
        return dim == 2 ? new long[] {s.n(), s.c(), s.h(), s.w()} : new long[] {s.n(), s.c(), s.d(), s.h(), s.w()};
    }

    private MemorySegment strides() {
        return axes(problem.stride());
    }

    private MemorySegment padding() {
        return axes(problem.padding());
    }

    private MemorySegment axes(Triple t) {
        return dnnl.axes(arena, dim == 2 ? new long[] {t.h(), t.w()} : new long[] {t.d(), t.h(), t.w()});
    }

    @Override
    public Map<String, float[]> answer() {
        milliseconds();
        fetch.values().forEach(Runnable::run);
        return Map.copyOf(answer);
    }

    @Override
    public double milliseconds() {
        long start = System.nanoTime();
        for (Step step : steps) {
            dnnl.execute(step.primitive, step.arguments, step.count);
        }
        return (System.nanoTime() - start) / 1e6;
    }

    @Override
    public void close() {
        destroy.forEach(Runnable::run);
        destroy.clear();
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }
}
