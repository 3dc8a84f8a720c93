package dev.voxgrad.engine.nn;

import dev.voxgrad.engine.autograd.Tape;
import dev.voxgrad.engine.op.FeatureMap;
import dev.voxgrad.engine.tensor.Shape;
import dev.voxgrad.engine.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

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
    FeatureMap forward(Pass pass, FeatureMap x, Optional<Tensor> into, boolean inputDone) {
        Tape tape = pass.tape();
        if (!tape.recomputes()) {
            return apply(pass, x, into, inputDone);
        }
        Pass again = pass.fork();
        // Into the same memory once more: what a layer writes to may decide in which order it adds.
        FeatureMap y = FeatureMap.recomputed(
                tape,
                () -> apply(pass, x, into, false),
                () -> apply(again, x, into, false),
                x,
                weights(pass),
                into.isPresent());
        if (inputDone) {
            x.done(tape);
        }
        return y;
    }

    private List<Tensor> weights(Pass pass) {
        List<ParameterSpec> specs = new ArrayList<>();
        declare(specs);
        return specs.stream().map(s -> pass.weight(s.name())).toList();
    }

    private FeatureMap apply(Pass pass, FeatureMap x, Optional<Tensor> into, boolean inputDone) {
        FeatureMap current = x;
        for (int i = 0; i < blocks.size(); i++) {
            FeatureMap next = blocks.get(i).forward(pass, current, i == blocks.size() - 1 ? into : Optional.empty());
            if (i > 0 || inputDone) {
                current.done(pass.tape());
            }
            current = next;
        }
        return current;
    }
}
