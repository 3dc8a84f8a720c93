package dev.voxgrad.engine.nn;

import dev.voxgrad.engine.tensor.Shape;
import dev.voxgrad.engine.tensor.Tensor;
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
     * Applies all blocks.
     *
     * @param into where the last block writes; empty = a new tensor
     * @param inputDone whether nobody needs x afterwards
     */
    Tensor forward(Pass pass, Tensor x, Optional<Tensor> into, boolean inputDone) {
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
