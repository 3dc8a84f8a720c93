package dev.voxgrad.engine.nn;

import dev.voxgrad.engine.autograd.Tape;
import dev.voxgrad.engine.op.Activation;
import dev.voxgrad.engine.op.Conv3d;
import dev.voxgrad.engine.op.Dropout;
import dev.voxgrad.engine.op.FeatureMap;
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

        Tensor forward(Pass pass, FeatureMap x) {
            return Conv3d.apply(pass.tape(), x, weight(pass), bias(pass), stride, padding());
        }

        FeatureMap forward(Pass pass, FeatureMap x, Conv3d.Norm norm, Optional<Tensor> into) {
            return Conv3d.apply(pass.tape(), x, weight(pass), bias(pass), stride, padding(), norm, into);
        }

        private Triple padding() {
            return new Triple((kernel.d() - 1) / 2, (kernel.h() - 1) / 2, (kernel.w() - 1) / 2);
        }

        private Tensor weight(Pass pass) {
            return pass.weight(name + ".weight");
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
    record Norm(String name, float eps, boolean endsBranch) {
        Tensor gamma(Pass pass) {
            return pass.weight(name + ".weight");
        }

        Tensor beta(Pass pass) {
            return pass.weight(name + ".bias");
        }
    }

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

    /** One fused op where the activation is linear on both sides of 0 and nothing drops out, else one op after the other. */
    @Override
    public FeatureMap forward(Pass pass, FeatureMap x, Optional<Tensor> into) {
        pass.tape().layer(conv.name());
        if (norm.isEmpty()) {
            return FeatureMap.of(activated(pass.tape(), conv.forward(pass, x), into));
        }
        boolean drops = dropout > 0 && pass.tape().training();
        Optional<Float> slope = function.leak();
        if (drops || slope.isEmpty()) {
            return FeatureMap.of(separately(pass, conv.forward(pass, x), norm.get(), drops, into));
        }
        Norm n = norm.get();
        return conv.forward(pass, x, new Conv3d.Norm(n.gamma(pass), n.beta(pass), n.eps(), slope.get()), into);
    }

    private Tensor separately(Pass pass, Tensor z, Norm n, boolean drops, Optional<Tensor> into) {
        Tape tape = pass.tape();
        if (!drops) {
            Tensor y = InstanceNorm.apply(tape, z, n.gamma(pass), n.beta(pass), n.eps(), function, into);
            tape.done(z);
            return y;
        }
        Activation.Function none = Activation.Function.IDENTITY;
        Tensor y = InstanceNorm.apply(tape, z, n.gamma(pass), n.beta(pass), n.eps(), none, Optional.empty());
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
