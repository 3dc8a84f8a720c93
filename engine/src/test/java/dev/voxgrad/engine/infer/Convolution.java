package dev.voxgrad.engine.infer;

import dev.voxgrad.engine.autograd.Tape;
import dev.voxgrad.engine.nn.Module;
import dev.voxgrad.engine.nn.NetworkSpec;
import dev.voxgrad.engine.nn.Parameters;
import dev.voxgrad.engine.op.Conv3d;
import dev.voxgrad.engine.op.Triple;
import dev.voxgrad.engine.tensor.Tensor;
import java.util.List;
import java.util.Optional;

/** A network of one convolution with zero padding that keeps the size. */
record Convolution(Tensor weight, Tensor bias) implements Module {
    @Override
    public NetworkSpec spec() {
        throw new UnsupportedOperationException("a single convolution has no specification");
    }

    @Override
    public Parameters parameters() {
        throw new UnsupportedOperationException("a single convolution has no named parameters");
    }

    @Override
    public List<Tensor> forward(Tape tape, Tensor x) {
        Triple padding = new Triple(
                (int) weight.shape().d() / 2,
                (int) weight.shape().h() / 2,
                (int) weight.shape().w() / 2);
        return List.of(Conv3d.apply(tape, x, weight, Optional.of(bias), Triple.of(1), padding));
    }
}
