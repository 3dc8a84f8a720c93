package dev.voxgrad.engine.nn;

import dev.voxgrad.engine.autograd.Tape;
import dev.voxgrad.engine.tensor.Tensor;
import java.util.List;

/** A network: parameters and a forward pass. It belongs to the scope that its parameters live in. */
public interface Module {
    /** What it was built from. */
    NetworkSpec spec();

    /** Its weights. */
    Parameters parameters();

    /**
     * Computes logits.
     *
     * @param x images [N,D,H,W,Cin]; never freed or changed
     * @return logits [N,d,h,w,classes], full resolution first; one tensor without deep supervision
     * @throws dev.voxgrad.engine.ShapeException when the network cannot take this input
     */
    List<Tensor> forward(Tape tape, Tensor x);
}
