package dev.voxgrad.engine.nn;

import dev.voxgrad.engine.autograd.Tape;
import dev.voxgrad.engine.op.Activation;
import dev.voxgrad.engine.op.Add;
import dev.voxgrad.engine.op.Pool;
import dev.voxgrad.engine.op.Triple;
import dev.voxgrad.engine.tensor.Shape;
import dev.voxgrad.engine.tensor.Tensor;
import java.util.List;
import java.util.Optional;

/**
 * f(second(first(x)) + skip(x)), ResNet-D's basic block: the skip is an average pool where the block has a stride, then a 1x1
 * convolution with norm where the channels change. He et al., CVPR 2019 (bag of tricks), figure 2c.
 *
 * @param first has the stride and the change of channels
 * @param second ends with its norm
 * @param projection empty where the channels stay
 * @param function the activation behind the sum
 */
record ResidualBlock(ConvBlock first, ConvBlock second, Optional<ConvBlock> projection, Activation.Function function)
        implements Block {
    @Override
    public void declare(List<ParameterSpec> specs) {
        first.declare(specs);
        second.declare(specs);
        projection.ifPresent(p -> p.declare(specs));
    }

    @Override
    public Shape output(Shape x) {
        return first.output(x);
    }

    @Override
    public long macs(Shape x) {
        Shape small = output(x);
        return first.macs(x)
                + second.macs(small)
                + projection.map(p -> p.macs(small.withChannels(x.c()))).orElse(0L);
    }

    @Override
    public Tensor forward(Pass pass, Tensor x, Optional<Tensor> into) {
        Tape tape = pass.tape();
        Tensor y = first.forward(pass, x, Optional.empty());
        Tensor branch = second.forward(pass, y, Optional.empty());
        tape.done(y);
        Tensor skip = skip(pass, x);
        tape.layer(second.conv().name());
        // The norm that made the branch reads its own input backward, not its output: the sum may take that memory.
        Tensor sum = Add.inPlace(tape, branch, skip);
        if (skip != x) {
            tape.done(skip);
        }
        Tensor result = Activation.apply(tape, sum, function, into);
        tape.done(sum);
        return result;
    }

    private Tensor skip(Pass pass, Tensor x) {
        Triple stride = first.conv().stride();
        Tensor pooled = stride.equals(Triple.of(1)) ? x : Pool.apply(pass.tape(), x, Pool.Kind.AVERAGE, stride);
        if (projection.isEmpty()) {
            return pooled;
        }
        Tensor projected = projection.get().forward(pass, pooled, Optional.empty());
        if (pooled != x) {
            pass.tape().done(pooled);
        }
        return projected;
    }
}
