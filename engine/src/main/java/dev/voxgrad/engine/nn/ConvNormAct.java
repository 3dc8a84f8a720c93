package dev.voxgrad.engine.nn;

import dev.voxgrad.engine.autograd.Tape;
import dev.voxgrad.engine.op.Activation;
import dev.voxgrad.engine.op.Conv3d;
import dev.voxgrad.engine.op.InstanceNorm;
import dev.voxgrad.engine.op.Triple;
import dev.voxgrad.engine.tensor.Shape;
import dev.voxgrad.engine.tensor.Tensor;
import java.util.List;
import java.util.Optional;

/** Convolution with padding (k-1)/2, instance norm, leaky ReLU: nnU-Net's block. */
final class ConvNormAct {
    private final Tensor weight;
    private final Tensor bias;
    private final Tensor gamma;
    private final Tensor beta;
    private final Triple stride;
    private final Triple padding;
    private final float eps;
    private final Activation.Function function;

    ConvNormAct(Parameters parameters, String name, Triple stride, NetworkSpec spec) {
        this.weight = parameters.get(name + ".conv.weight");
        this.bias = parameters.get(name + ".conv.bias");
        this.gamma = parameters.get(name + ".norm.weight");
        this.beta = parameters.get(name + ".norm.bias");
        this.stride = stride;
        Shape k = weight.shape();
        this.padding = new Triple((int) (k.d() - 1) / 2, (int) (k.h() - 1) / 2, (int) (k.w() - 1) / 2);
        this.eps = (float) spec.eps();
        this.function = Activation.Function.leakyRelu((float) spec.negativeSlope());
    }

    /** Lists the parameters of a block. */
    static void declare(List<ParameterSpec> specs, String name, long in, long out, Triple kernel) {
        ParameterSpec.convolution(specs, name + ".conv", in, out, kernel);
        ParameterSpec.norm(specs, name + ".norm", out);
    }

    /** From [N,D,H,W,in] to [N,D/s,H/s,W/s,out], into a given tensor if there is one. */
    Tensor forward(Tape tape, Tensor x, Optional<Tensor> into) {
        Tensor z = Conv3d.apply(tape, x, weight, Optional.of(bias), stride, padding);
        Tensor y = InstanceNorm.apply(tape, z, gamma, beta, eps, function, into);
        tape.done(z);
        return y;
    }
}
