package dev.voxgrad.bench.peer;

import dev.voxgrad.engine.nn.NetworkSpec;
import dev.voxgrad.engine.op.Triple;
import java.util.ArrayList;
import java.util.List;

/**
 * nnU-Net's plain and residual encoder U-Nets and MONAI's BasicUNet, composed of a peer's layers on a state dict.
 *
 * @param <T> a tensor of the peer
 */
public final class PeerUNet<T> {
    private final NetworkSpec spec;
    private final Layers<T> layers;
    private final boolean basic;
    private final boolean residual;

    /** A network of the given sizes. */
    public PeerUNet(NetworkSpec spec, Layers<T> layers) {
        this.spec = spec;
        this.layers = layers;
        basic = spec.network().equals("BasicUNet");
        residual = spec.network().equals("ResidualEncoderUNet");
        if (!basic && !residual && !spec.network().equals("PlainConvUNet")) {
            throw new IllegalArgumentException("there is no composition of " + spec.network());
        }
    }

    /** Logits, full resolution first. */
    public List<T> forward(T image) {
        List<T> skips = new ArrayList<>();
        T x = residual ? block("encoder.stem.convs.0", image, Triple.of(1), spec.kernel(0)) : image;
        for (int s = 0; s < spec.stages(); s++) {
            x = residual ? residualStage(s, x) : plainStage(s, x);
            skips.add(x);
        }
        List<T> logits = new ArrayList<>();
        for (int d = 0; d < spec.stages() - 1; d++) {
            int level = spec.stages() - 2 - d;
            String up = basic ? "upcat_" + (level + 1) + ".upsample.deconv" : "decoder.transpconvs." + d;
            T skip = skips.get(level);
            T wider = layers.convTranspose(up, x, spec.stride(level + 1));
            x = basic ? layers.concat(skip, wider) : layers.concat(wider, skip);
            for (int i = 0; i < spec.decoderConvs().get(d); i++) {
                String name =
                        basic ? "upcat_" + (level + 1) + ".convs.conv_" + i : "decoder.stages." + d + ".convs." + i;
                x = block(name, x, Triple.of(1), spec.kernel(level));
            }
            if (level == 0 || spec.deepSupervision()) {
                String head = basic ? "final_conv" : "decoder.seg_layers." + d;
                logits.addFirst(layers.conv(head, x, Triple.of(1), Triple.of(1)));
            }
        }
        return logits;
    }

    private T plainStage(int stage, T input) {
        boolean pooled = basic && stage > 0;
        T x = pooled ? layers.maxPool(input, spec.stride(stage)) : input;
        for (int i = 0; i < spec.encoderConvs().get(stage); i++) {
            String name = !basic
                    ? "encoder.stages." + stage + ".0.convs." + i
                    : (stage == 0 ? "conv_0.conv_" : "down_" + stage + ".convs.conv_") + i;
            x = block(name, x, i == 0 && !pooled ? spec.stride(stage) : Triple.of(1), spec.kernel(stage));
        }
        return x;
    }

    private T residualStage(int stage, T input) {
        T x = input;
        for (int i = 0; i < spec.encoderConvs().get(stage); i++) {
            String name = "encoder.stages." + stage + ".blocks." + i;
            Triple stride = i == 0 ? spec.stride(stage) : Triple.of(1);
            T skip = stride.equals(Triple.of(1)) ? x : layers.averagePool(x, stride);
            String projection = name + ".skip." + (stride.equals(Triple.of(1)) ? 0 : 1);
            if (layers.has(projection + ".conv.weight")) {
                skip = norm(projection, layers.conv(projection + ".conv", skip, Triple.of(1), Triple.of(1)));
            }
            T branch = block(name + ".conv1", x, stride, spec.kernel(stage));
            branch = norm(name + ".conv2", layers.conv(name + ".conv2.conv", branch, Triple.of(1), spec.kernel(stage)));
            x = activation(layers.add(branch, skip));
        }
        return x;
    }

    /** Convolution, instance norm, activation. */
    private T block(String name, T x, Triple stride, Triple kernel) {
        return activation(norm(name, layers.conv(name + ".conv", x, stride, kernel)));
    }

    private T norm(String block, T x) {
        return layers.norm(block + (basic ? ".adn.N" : ".norm"), x, spec.eps());
    }

    private T activation(T x) {
        return spec.activation().equals(NetworkSpec.LEAKY_RELU)
                ? layers.leakyRelu(x, spec.negativeSlope())
                : layers.mish(x);
    }
}
