package dev.voxgrad.engine.nn;

import dev.voxgrad.engine.autograd.Tape;
import dev.voxgrad.engine.op.Activation;
import dev.voxgrad.engine.op.Add;
import dev.voxgrad.engine.op.FeatureMap;
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
    public FeatureMap forward(Pass pass, FeatureMap x, Optional<Tensor> into) {
        Tape tape = pass.tape();
        FeatureMap y = first.forward(pass, x, Optional.empty());
        FeatureMap branch = second.forward(pass, y, Optional.empty());
        y.done(tape);
        FeatureMap skip = skip(pass, x);
        tape.layer(second.conv().name());
        Tensor values = branch.toValues(tape);
        Tensor skipped = skip == x ? x.values(tape) : skip.toValues(tape);
        // What made the values of the branch does not read them again, not even backward: the sum may take their
        // memory.
        Tensor sum = Add.inPlace(tape, values, skipped);
        x.done(tape, skipped);
        Tensor result = Activation.apply(tape, sum, function, into);
        tape.done(sum);
        return FeatureMap.of(result);
    }

    private FeatureMap skip(Pass pass, FeatureMap x) {
        Triple stride = first.conv().stride();
        FeatureMap pooled = stride.equals(Triple.of(1)) ? x : Pool.apply(pass.tape(), x, Pool.Kind.AVERAGE, stride);
        if (projection.isEmpty()) {
            return pooled;
        }
        FeatureMap projected = projection.get().forward(pass, pooled, Optional.empty());
        if (pooled != x) {
            pooled.done(pass.tape());
        }
        return projected;
    }
}
