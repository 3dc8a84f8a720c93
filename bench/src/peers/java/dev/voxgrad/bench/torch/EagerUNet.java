package dev.voxgrad.bench.torch;

import dev.voxgrad.engine.nn.NetworkSpec;
import dev.voxgrad.engine.op.Triple;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/** nnU-Net's plain and residual encoder U-Nets and MONAI's BasicUNet, composed of PyTorch's ops on a state dict. */
final class EagerUNet {
    private final NetworkSpec spec;
    private final Map<String, Tensor> parameters;
    private final boolean basic;
    private final boolean residual;

    EagerUNet(NetworkSpec spec, Map<String, Tensor> parameters) {
        this.spec = spec;
        this.parameters = parameters;
        basic = spec.network().equals("BasicUNet");
        residual = spec.network().equals("ResidualEncoderUNet");
        if (!basic && !residual && !spec.network().equals("PlainConvUNet")) {
            throw new IllegalArgumentException("there is no eager composition of " + spec.network());
        }
    }

    /** Logits, full resolution first. */
    List<Tensor> forward(Tensor image) {
        List<Tensor> skips = new ArrayList<>();
        Tensor x = residual ? block("encoder.stem.convs.0", image, Triple.of(1), spec.kernel(0)) : image;
        for (int s = 0; s < spec.stages(); s++) {
            x = residual ? residualStage(s, x) : plainStage(s, x);
            skips.add(x);
        }
        List<Tensor> logits = new ArrayList<>();
        for (int d = 0; d < spec.stages() - 1; d++) {
            int level = spec.stages() - 2 - d;
            String up = basic ? "upcat_" + (level + 1) + ".upsample.deconv" : "decoder.transpconvs." + d;
            Tensor skip = skips.get(level);
            Tensor wider = Ops.convTranspose(x, weight(up), bias(up), spec.stride(level + 1));
            x = torch.cat(basic ? new TensorVector(skip, wider) : new TensorVector(wider, skip), 1);
            for (int i = 0; i < spec.decoderConvs().get(d); i++) {
                String name =
                        basic ? "upcat_" + (level + 1) + ".convs.conv_" + i : "decoder.stages." + d + ".convs." + i;
                x = block(name, x, Triple.of(1), spec.kernel(level));
            }
            if (level == 0 || spec.deepSupervision()) {
                String head = basic ? "final_conv" : "decoder.seg_layers." + d;
                logits.addFirst(Ops.conv(x, weight(head), bias(head), Triple.of(1), Triple.of(0)));
            }
        }
        return logits;
    }

    private Tensor plainStage(int stage, Tensor input) {
        boolean pooled = basic && stage > 0;
        Tensor x = pooled ? Ops.maxPool(input, spec.stride(stage)) : input;
        for (int i = 0; i < spec.encoderConvs().get(stage); i++) {
            String name = !basic
                    ? "encoder.stages." + stage + ".0.convs." + i
                    : (stage == 0 ? "conv_0.conv_" : "down_" + stage + ".convs.conv_") + i;
            x = block(name, x, i == 0 && !pooled ? spec.stride(stage) : Triple.of(1), spec.kernel(stage));
        }
        return x;
    }

    private Tensor residualStage(int stage, Tensor input) {
        Tensor x = input;
        for (int i = 0; i < spec.encoderConvs().get(stage); i++) {
            String name = "encoder.stages." + stage + ".blocks." + i;
            Triple stride = i == 0 ? spec.stride(stage) : Triple.of(1);
            Tensor skip = stride.equals(Triple.of(1)) ? x : Ops.averagePool(x, stride);
            String projection = name + ".skip." + (stride.equals(Triple.of(1)) ? 0 : 1);
            if (parameters.containsKey(projection + ".conv.weight")) {
                skip = norm(projection, conv(projection, skip, Triple.of(1), Triple.of(1)));
            }
            Tensor branch = block(name + ".conv1", x, stride, spec.kernel(stage));
            branch = norm(name + ".conv2", conv(name + ".conv2", branch, Triple.of(1), spec.kernel(stage)));
            x = activation(branch.add_(skip));
        }
        return x;
    }

    /** Convolution, instance norm, activation. */
    private Tensor block(String name, Tensor x, Triple stride, Triple kernel) {
        return activation(norm(name, conv(name, x, stride, kernel)));
    }

    private Tensor conv(String name, Tensor x, Triple stride, Triple kernel) {
        Triple padding = new Triple((kernel.d() - 1) / 2, (kernel.h() - 1) / 2, (kernel.w() - 1) / 2);
        return Ops.conv(x, weight(name + ".conv"), bias(name + ".conv"), stride, padding);
    }

    private Tensor norm(String block, Tensor x) {
        String name = block + (basic ? ".adn.N" : ".norm");
        return torch.instance_norm(
                x,
                new TensorOptional(weight(name)),
                bias(name),
                new TensorOptional(),
                new TensorOptional(),
                true,
                0.1, // momentum of running statistics that are not kept
                spec.eps(),
                false);
    }

    /** Leaky ReLU in place, as nnU-Net has it. */
    private Tensor activation(Tensor x) {
        return spec.activation().equals(NetworkSpec.LEAKY_RELU)
                ? torch.leaky_relu_(x, new Scalar(spec.negativeSlope()))
                : torch.mish(x);
    }

    private Tensor weight(String name) {
        return parameters.get(name + ".weight");
    }

    private TensorOptional bias(String name) {
        return Optional.ofNullable(parameters.get(name + ".bias"))
                .map(TensorOptional::new)
                .orElseGet(TensorOptional::new);
    }
}
