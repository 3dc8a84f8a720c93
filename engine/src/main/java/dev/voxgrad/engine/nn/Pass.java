package dev.voxgrad.engine.nn;

import dev.voxgrad.engine.autograd.Tape;
import dev.voxgrad.engine.op.Dropout;
import dev.voxgrad.engine.tensor.Tensor;

/** One forward pass: where the layers record themselves, their weights, and their random draws. */
final class Pass {
    private final Tape tape;
    private final Parameters parameters;
    private long draws;

    Pass(Tape tape, Parameters parameters) {
        this.tape = tape;
        this.parameters = parameters;
    }

    /** A pass that repeats what follows on this one, its random draws included. */
    Pass fork() {
        Pass fork = new Pass(tape, parameters);
        fork.draws = draws;
        return fork;
    }

    Tape tape() {
        return tape;
    }

    Tensor weight(String name) {
        return parameters.get(name);
    }

    /** The draw of the next layer with dropout; layers run in one order, so a layer's draw depends on the step's seed only. */
    Dropout.Draw draw() {
        return new Dropout.Draw(tape.seed(), draws++);
    }
}
