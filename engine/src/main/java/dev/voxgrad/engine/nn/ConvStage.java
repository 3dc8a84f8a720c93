package dev.voxgrad.engine.nn;

import dev.voxgrad.engine.autograd.Tape;
import dev.voxgrad.engine.op.Triple;
import dev.voxgrad.engine.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Blocks in a row at one resolution; the first one has the stride and the change of channels. */
final class ConvStage {
    private final List<ConvNormAct> blocks = new ArrayList<>();

    /** Names the blocks {@code prefix.convs.0}, {@code prefix.convs.1}, ... */
    ConvStage(Parameters parameters, String prefix, int convs, Triple stride, NetworkSpec spec) {
        for (int i = 0; i < convs; i++) {
            blocks.add(new ConvNormAct(parameters, prefix + ".convs." + i, i == 0 ? stride : Triple.of(1), spec));
        }
    }

    /** Lists the parameters of a stage. */
    static void declare(List<ParameterSpec> specs, String prefix, int convs, long in, long out, Triple kernel) {
        for (int i = 0; i < convs; i++) {
            ConvNormAct.declare(specs, prefix + ".convs." + i, i == 0 ? in : out, out, kernel);
        }
    }

    /**
     * Applies all blocks.
     *
     * @param into where the last block writes; empty = a new tensor
     * @param inputDone whether nobody needs x afterwards
     */
    Tensor forward(Tape tape, Tensor x, Optional<Tensor> into, boolean inputDone) {
        Tensor current = x;
        for (int i = 0; i < blocks.size(); i++) {
            Tensor next = blocks.get(i).forward(tape, current, i == blocks.size() - 1 ? into : Optional.empty());
            if (i > 0 || inputDone) {
                tape.done(current);
            }
            current = next;
        }
        return current;
    }
}
