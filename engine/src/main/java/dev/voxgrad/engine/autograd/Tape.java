package dev.voxgrad.engine.autograd;

import dev.voxgrad.engine.ShapeException;
import dev.voxgrad.engine.tensor.Profiler;
import dev.voxgrad.engine.tensor.Scope;
import dev.voxgrad.engine.tensor.Shape;
import dev.voxgrad.engine.tensor.Tensor;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Supplier;

/**
 * The record of one forward pass. All tensors made on the way live in the tape's scope, which is one training step or one
 * prediction. An inference tape records nothing and frees intermediate tensors as soon as the network says that it is done with
 * them.
 */
public final class Tape {
    private record Entry(Tensor output, Op op, String layer) {}

    private final Scope scope;
    private final boolean training;
    private final OptionalLong seed;
    private boolean recording;
    private boolean recomputes;
    private boolean used;
    private String layer = "";
    private final List<Entry> entries = new ArrayList<>();
    private final Set<Tensor> tracked = Collections.newSetFromMap(new IdentityHashMap<>());
    private final Map<Object, Integer> outputsOn = new IdentityHashMap<>(); // entries by the memory of their output
    private final Set<Object> done = Collections.newSetFromMap(new IdentityHashMap<>()); // memory

    private Tape(Scope scope, boolean recording, boolean training, OptionalLong seed) {
        this.scope = scope;
        this.recording = recording;
        this.training = training;
        this.seed = seed;
    }

    /**
     * A tape for a training step of a network without dropout.
     *
     * @param leaves tensors whose gradients are wanted: the parameters
     */
    public static Tape training(Scope scope, Collection<Tensor> leaves) {
        return training(scope, leaves, OptionalLong.empty());
    }

    /**
     * A tape for a training step.
     *
     * @param leaves tensors whose gradients are wanted: the parameters
     * @param seed of this step's random draws; no other step of the training has it
     */
    public static Tape training(Scope scope, Collection<Tensor> leaves, long seed) {
        return training(scope, leaves, OptionalLong.of(seed));
    }

    private static Tape training(Scope scope, Collection<Tensor> leaves, OptionalLong seed) {
        Tape tape = new Tape(scope, true, true, seed);
        tape.tracked.addAll(leaves);
        return tape;
    }

    /** Records gradients with the network in evaluation mode (dropout off). */
    public static Tape evaluation(Scope scope, Collection<Tensor> leaves) {
        Tape tape = new Tape(scope, true, false, OptionalLong.empty());
        tape.tracked.addAll(leaves);
        return tape;
    }

    /** A tape that records nothing. */
    public static Tape inference(Scope scope) {
        return new Tape(scope, false, false, OptionalLong.empty());
    }

    /** Makes this tape one that keeps less and computes it again in the backward pass; results are the same. */
    public Tape recomputing() {
        recomputes = recording;
        return this;
    }

    /** True when a network should apply its pieces with {@link #recomputed}. */
    public boolean recomputes() {
        return recomputes && !used;
    }

    /** The scope of all tensors of this pass. */
    public Scope scope() {
        return scope;
    }

    /** Names the layer whose ops come next, for the profiler: their gradients belong to it as well. */
    public void layer(String name) {
        layer = name;
        scope.device().profiler().layer(name);
    }

    /** False on a tape for inference. */
    public boolean recording() {
        return recording;
    }

    /** True in training: dropout is active. */
    public boolean training() {
        return training;
    }

    /**
     * The seed of this step's random draws.
     *
     * @throws IllegalStateException when the tape was made without one: every step would drop the same elements
     */
    public long seed() {
        return seed.orElseThrow(() ->
                new IllegalStateException("this tape has no seed for dropout; use Tape.training(scope, leaves, seed)"));
    }

    /** True when the gradient of this tensor is wanted, so that an op with it as input must be recorded. */
    public boolean tracks(Tensor tensor) {
        return tracked.contains(tensor);
    }

    /** A new tensor for the output of an op. */
    public Tensor output(Shape shape) {
        return scope.tensor(shape);
    }

    /**
     * Records an op if the gradient of any of its inputs is wanted.
     *
     * @return the output, for chaining
     */
    public Tensor record(Tensor output, Op op, Tensor... inputs) {
        if (recording) {
            for (Tensor input : inputs) {
                if (tracked.contains(input)) {
                    entries.add(new Entry(output, op, layer));
                    tracked.add(output);
                    outputsOn.merge(output.identity(), 1, Integer::sum);
                    break;
                }
            }
        }
        return output;
    }

    /**
     * Applies a piece of a network without keeping what it makes on the way. The backward pass applies it again, now recording, and goes
     * back through that: the kernels and the order of all sums are those of a pass that kept everything, so the bits are too.
     *
     * @param forward applies the piece
     * @param again does the same with the same bits
     * @param inputs all tensors that it reads; they must stay as they are until the backward pass
     * @param inPlace whether {@code again} writes to the result of {@code forward}, which otherwise may be free by then
     * @return the result of {@code forward}
     */
    public Tensor recomputed(
            Supplier<Tensor> forward, Supplier<Tensor> again, Collection<Tensor> inputs, boolean inPlace) {
        recording = false;
        Tensor output;
        try {
            output = forward.get();
        } finally {
            recording = true;
        }
        return record(output, new Again(again, inPlace), inputs.toArray(Tensor[]::new));
    }

    private final class Again implements Op {
        private final Supplier<Tensor> forward;
        private final boolean inPlace;

        Again(Supplier<Tensor> forward, boolean inPlace) {
            this.forward = forward;
            this.inPlace = inPlace;
        }

        @Override
        public void backward(Tensor gradient, Gradients gradients) {
            Tensor repeated = forward.get(); // its ops are now the last of this tape, the next to run backward
            gradients.give(repeated, gradient);
            done(repeated);
        }

        @Override
        public boolean usesOutput() {
            return inPlace;
        }
    }

    /**
     * Says that a network needs an intermediate tensor no more. An inference tape frees it; otherwise ops that were recorded may still
     * read it, and the backward pass frees it when it has gone back to the op that made it.
     */
    public void done(Tensor tensor) {
        if (tensor.scope() != scope) {
            return;
        }
        if (recording) {
            done.add(tensor.identity());
        } else {
            scope.free(tensor);
        }
    }

    /** All readers of this output have run backward: nobody needs it any more, unless an earlier op wrote to the same memory. */
    private void free(Tensor output) {
        if (outputsOn.merge(output.identity(), -1, Integer::sum) == 0 && done.remove(output.identity())) {
            scope.free(output);
        }
    }

    /**
     * Gradients of a scalar by all leaves. The tape is used up: a second call throws.
     *
     * @param scalar a tensor with one element that this tape recorded
     */
    public Gradients backward(Tensor scalar) {
        if (scalar.shape().elements() != 1) {
            throw new ShapeException("backward starts at a scalar, not at " + scalar.shape());
        }
        Tensor one = scope.tensor(scalar.shape());
        one.fill(1);
        return backward(List.of(scalar), List.of(one));
    }

    /**
     * Gradients of sum_i sum(outputs_i * upstream_i) by all leaves.
     *
     * @param outputs tensors that this tape recorded
     * @param upstream their gradients, same shapes; they are consumed
     */
    public Gradients backward(List<Tensor> outputs, List<Tensor> upstream) {
        if (!recording) {
            throw new IllegalStateException("an inference tape has no gradients; use Tape.training");
        }
        if (used) {
            throw new IllegalStateException("this tape is used up; make a new one for each forward pass");
        }
        used = true;
        Gradients gradients = new Gradients(this);
        for (int i = 0; i < outputs.size(); i++) {
            if (tracked.contains(outputs.get(i))) {
                gradients.give(outputs.get(i), upstream.get(i));
            }
        }
        while (!entries.isEmpty()) {
            Entry entry = entries.removeLast();
            Tensor gradient = gradients.take(entry.output());
            boolean kept = entry.op().usesOutput();
            if (!kept) {
                free(entry.output()); // before the op asks for memory: this is where a step needs most
            }
            scope.device().profiler().phase(Profiler.Phase.BACKWARD, entry.layer());
            if (gradient != null) {
                entry.op().backward(gradient, gradients);
                gradients.dismiss(gradient);
            }
            if (kept) {
                free(entry.output());
            }
        }
        return gradients;
    }
}
