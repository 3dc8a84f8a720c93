package dev.voxgrad.engine.nn;

import dev.voxgrad.engine.autograd.Tape;
import dev.voxgrad.engine.op.Activation;
import dev.voxgrad.engine.op.Conv3d;
import dev.voxgrad.engine.op.Dropout;
import dev.voxgrad.engine.op.InstanceNorm;
import dev.voxgrad.engine.op.Triple;
import dev.voxgrad.engine.tensor.Shape;
import dev.voxgrad.engine.tensor.Tensor;
import java.util.List;
import java.util.Optional;

/**
 * Convolution with padding (k-1)/2, then instance norm, dropout of single elements and an activation, each where there is one.
 *
 * @param norm empty = none
 * @param dropout probability in training; 0 = none
 * @param function the activation; the identity = none
 */
record ConvBlock(Conv conv, Optional<Norm> norm, float dropout, Activation.Function function) implements Block {
    /** Names and sizes of a convolution; kernels are odd. */
    record Conv(String name, long in, long out, Triple kernel, Triple stride, boolean bias) {
        void declare(List<ParameterSpec> specs) {
            ParameterSpec.convolution(specs, name, in, out, kernel, bias);
        }

        Shape output(Shape x) {
            // floor((n + 2 (k-1)/2 - k)/s) + 1 for odd k
            return x.withChannels(out)
                    .withGrid((x.d() - 1) / stride.d() + 1, (x.h() - 1) / stride.h() + 1, (x.w() - 1) / stride.w() + 1);
        }

        long macs(Shape x) {
            return output(x).elements() * in * kernel.d() * kernel.h() * kernel.w();
        }

        Tensor forward(Pass pass, Tensor x) {
            Triple padding = new Triple((kernel.d() - 1) / 2, (kernel.h() - 1) / 2, (kernel.w() - 1) / 2);
            return Conv3d.apply(pass.tape(), x, pass.weight(name + ".weight"), bias(pass), stride, padding);
        }

        private Optional<Tensor> bias(Pass pass) {
            return bias ? Optional.of(pass.weight(name + ".bias")) : Optional.empty();
        }
    }

    /**
     * Name and constant of an instance norm.
     *
     * @param endsBranch whether it is the last layer of a residual branch, which some networks start at zero
     */
    record Norm(String name, float eps, boolean endsBranch) {}

    @Override
    public void declare(List<ParameterSpec> specs) {
        conv.declare(specs);
        norm.ifPresent(n -> ParameterSpec.norm(specs, n.name(), conv.out(), n.endsBranch()));
    }

    @Override
    public Shape output(Shape x) {
        return conv.output(x);
    }

    @Override
    public long macs(Shape x) {
        return conv.macs(x);
    }

    @Override
    public Tensor forward(Pass pass, Tensor x, Optional<Tensor> into) {
        Tape tape = pass.tape();
        tape.layer(conv.name());
        Tensor z = conv.forward(pass, x);
        if (norm.isEmpty()) {
            return activated(tape, z, into);
        }
        Tensor gamma = pass.weight(norm.get().name() + ".weight");
        Tensor beta = pass.weight(norm.get().name() + ".bias");
        float eps = norm.get().eps();
        if (dropout == 0 || !tape.training()) { // norm and activation in one pass over memory
            Tensor y = InstanceNorm.apply(tape, z, gamma, beta, eps, function, into);
            tape.done(z);
            return y;
        }
        Tensor y = InstanceNorm.apply(tape, z, gamma, beta, eps, Activation.Function.IDENTITY, Optional.empty());
        tape.done(z);
        Tensor kept = Dropout.apply(tape, y, dropout, Dropout.Unit.ELEMENT, pass.draw());
        tape.done(y);
        return activated(tape, kept, into);
    }

    private Tensor activated(Tape tape, Tensor z, Optional<Tensor> into) {
        if (function.equals(Activation.Function.IDENTITY) && into.isEmpty()) {
            return z;
        }
        Tensor y = Activation.apply(tape, z, function, into);
        tape.done(z);
        return y;
    }
}
