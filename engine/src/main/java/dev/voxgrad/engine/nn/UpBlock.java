package dev.voxgrad.engine.nn;

import dev.voxgrad.engine.autograd.Tape;
import dev.voxgrad.engine.op.ConvTranspose3d;
import dev.voxgrad.engine.op.FeatureMap;
import dev.voxgrad.engine.op.Pad;
import dev.voxgrad.engine.op.Triple;
import dev.voxgrad.engine.tensor.Shape;
import dev.voxgrad.engine.tensor.Tensor;
import java.util.List;
import java.util.Optional;

/**
 * Transposed convolution and concatenation with the skip connection. The concatenation costs no copy: the encoder has written the skip
 * into its channels of a buffer, the transposed convolution writes into the others. Where the encoder dropped trailing planes, the
 * upsampled map gets them back as copies of its last plane.
 *
 * @param name of the transposed convolution
 * @param in channels below
 * @param out channels of the upsampled map
 * @param skip channels of the skip connection
 * @param kernel and stride of the transposed convolution
 * @param skipFirst order of the channels
 */
record UpBlock(String name, long in, long out, long skip, Triple kernel, boolean bias, boolean skipFirst) {
    void declare(List<ParameterSpec> specs) {
        ParameterSpec.transposedConvolution(specs, name, in, out, kernel, bias);
    }

    /** Channels of the concatenation. */
    long channels() {
        return out + skip;
    }

    long macs(Shape x) {
        return x.elements() * out * kernel.d() * kernel.h() * kernel.w();
    }

    /** The channels of a buffer that the encoder writes. */
    Tensor skipOf(Tensor buffer) {
        return buffer.slice(skipFirst ? 0 : out, skip);
    }

    private Tensor upsampledOf(Tensor buffer) {
        return buffer.slice(skipFirst ? skip : 0, out);
    }

    /**
     * Goes up one level.
     *
     * @param x feature map of the level below; done afterwards
     * @param buffer for the concatenation
     * @param skipped what the encoder wrote into {@link #skipOf} the buffer
     * @return the concatenation, in the buffer
     */
    FeatureMap forward(Pass pass, FeatureMap x, Tensor buffer, FeatureMap skipped) {
        Tape tape = pass.tape();
        tape.layer(name);
        FeatureMap up = FeatureMap.of(upsampled(pass, x, upsampledOf(buffer)));
        x.done(tape);
        return skipFirst ? FeatureMap.concat(tape, buffer, skipped, up) : FeatureMap.concat(tape, buffer, up, skipped);
    }

    private Tensor upsampled(Pass pass, FeatureMap x, Tensor into) {
        Tape tape = pass.tape();
        Shape have = x.shape();
        Shape want = into.shape();
        Triple lost = new Triple(
                Math.toIntExact(want.d() - have.d() * kernel.d()),
                Math.toIntExact(want.h() - have.h() * kernel.h()),
                Math.toIntExact(want.w() - have.w() * kernel.w()));
        Tensor weight = pass.weight(name + ".weight");
        Optional<Tensor> offset = bias ? Optional.of(pass.weight(name + ".bias")) : Optional.empty();
        if (lost.equals(Triple.of(0))) {
            return ConvTranspose3d.apply(tape, x, weight, offset, Optional.of(into));
        }
        Tensor small = ConvTranspose3d.apply(tape, x, weight, offset, Optional.empty());
        Tensor padded = Pad.apply(tape, small, lost, Pad.Mode.REPLICATE, Optional.of(into));
        tape.done(small);
        return padded;
    }
}
