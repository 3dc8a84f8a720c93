package dev.voxgrad.engine.nn;

import dev.voxgrad.engine.autograd.Tape;
import dev.voxgrad.engine.op.Concat;
import dev.voxgrad.engine.op.ConvTranspose3d;
import dev.voxgrad.engine.op.Triple;
import dev.voxgrad.engine.tensor.Tensor;
import java.util.List;
import java.util.Optional;

/**
 * A decoder stage: transposed convolution, concatenation with the skip connection, convolution blocks. The concatenation costs no
 * copy: the encoder has written the skip into the last channels of a buffer, the transposed convolution writes into the first.
 */
final class UpBlock {
    private final Tensor weight;
    private final Tensor bias;
    private final ConvStage convs;

    /** Stage {@code d} of the decoder counted from the lowest resolution. */
    UpBlock(Parameters parameters, int d, NetworkSpec spec) {
        this.weight = parameters.get("decoder.transpconvs." + d + ".weight");
        this.bias = parameters.get("decoder.transpconvs." + d + ".bias");
        this.convs = new ConvStage(
                parameters, "decoder.stages." + d, spec.decoderConvs().get(d), Triple.of(1), spec);
    }

    /** Lists the parameters of the blocks of stage {@code d}. */
    static void declareConvs(List<ParameterSpec> specs, int d, NetworkSpec spec) {
        int level = spec.stages() - 2 - d;
        long f = spec.features().get(level);
        ConvStage.declare(specs, "decoder.stages." + d, spec.decoderConvs().get(d), 2 * f, f, spec.kernel(level));
    }

    /** Lists the parameters of the transposed convolution of stage {@code d}. */
    static void declareTransposed(List<ParameterSpec> specs, int d, NetworkSpec spec) {
        int level = spec.stages() - 2 - d;
        ParameterSpec.transposedConvolution(
                specs,
                "decoder.transpconvs." + d,
                spec.features().get(level + 1),
                spec.features().get(level),
                spec.stride(level + 1));
    }

    /**
     * Goes up one level.
     *
     * @param x feature map of the level below; done afterwards
     * @param skip feature map of the encoder in the last half of the buffer's channels
     */
    Tensor forward(Tape tape, Tensor x, Tensor buffer, Tensor skip) {
        Tensor firstHalf = buffer.slice(0, skip.shape().c());
        Tensor up = ConvTranspose3d.apply(tape, x, weight, Optional.of(bias), Optional.of(firstHalf));
        tape.done(x);
        return convs.forward(tape, Concat.of(tape, buffer, up, skip), Optional.empty(), true);
    }
}
