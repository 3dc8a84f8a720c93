package dev.voxgrad.engine.nn;

import dev.voxgrad.engine.autograd.Tape;
import dev.voxgrad.engine.tensor.Shape;
import dev.voxgrad.engine.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** Blocks in a row: what a network does at one resolution. */
record Chain(List<Block> blocks) {
    void declare(List<ParameterSpec> specs) {
        blocks.forEach(b -> b.declare(specs));
    }

    Shape output(Shape x) {
        Shape current = x;
        for (Block block : blocks) {
            current = block.output(current);
        }
        return current;
    }

    long macs(Shape x) {
        Shape current = x;
        long sum = 0;
        for (Block block : blocks) {
            sum += block.macs(current);
            current = block.output(current);
        }
        return sum;
    }

    /**
     * Applies all blocks. On a tape that recomputes, nothing but the input and the result is kept: the backward pass applies the blocks
     * again when it comes to them.
     *
     * @param into where the last block writes; empty = a new tensor
     * @param inputDone whether nobody needs x afterwards
     */
    Tensor forward(Pass pass, Tensor x, Optional<Tensor> into, boolean inputDone) {
        Tape tape = pass.tape();
        if (!tape.recomputes()) {
            return apply(pass, x, into, inputDone);
        }
        Pass again = pass.fork();
        // Into the same memory once more: what a layer writes to may decide in which order it adds.
        Tensor y = tape.recomputed(
                () -> apply(pass, x, into, false), () -> apply(again, x, into, false), inputs(pass, x));
        if (inputDone) {
            tape.done(x);
        }
        return y;
    }

    private List<Tensor> inputs(Pass pass, Tensor x) {
        List<ParameterSpec> specs = new ArrayList<>();
        declare(specs);
        return Stream.concat(Stream.of(x), specs.stream().map(s -> pass.weight(s.name())))
                .toList();
    }

    private Tensor apply(Pass pass, Tensor x, Optional<Tensor> into, boolean inputDone) {
        Tensor current = x;
        for (int i = 0; i < blocks.size(); i++) {
            Tensor next = blocks.get(i).forward(pass, current, i == blocks.size() - 1 ? into : Optional.empty());
            if (i > 0 || inputDone) {
                pass.tape().done(current);
            }
            current = next;
        }
        return current;
    }
}
