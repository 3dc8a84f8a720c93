package dev.voxgrad.bench.torch;

import dev.voxgrad.bench.peer.Layers;
import dev.voxgrad.engine.op.Triple;
import java.util.Map;
import java.util.Optional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/** PyTorch's ops on a state dict; in place where the public networks are. */
record EagerLayers(Map<String, Tensor> parameters) implements Layers<Tensor> {
    /** Momentum of running statistics that are not kept. */
    private static final double MOMENTUM = 0.1;

    @Override
    public boolean has(String parameter) {
        return parameters.containsKey(parameter);
    }

    @Override
    public Tensor conv(String name, Tensor x, Triple stride, Triple kernel) {
        Triple padding = new Triple((kernel.d() - 1) / 2, (kernel.h() - 1) / 2, (kernel.w() - 1) / 2);
        return Ops.conv(x, weight(name), bias(name), stride, padding);
    }

    @Override
    public Tensor convTranspose(String name, Tensor x, Triple stride) {
        return Ops.convTranspose(x, weight(name), bias(name), stride);
    }

    @Override
    public Tensor norm(String name, Tensor x, double eps) {
        return torch.instance_norm(
                x,
                new TensorOptional(weight(name)),
                bias(name),
                new TensorOptional(),
                new TensorOptional(),
                true,
                MOMENTUM,
                eps,
                false);
    }

    @Override
    public Tensor leakyRelu(Tensor x, double slope) {
        return torch.leaky_relu_(x, new Scalar(slope));
    }

    @Override
    public Tensor mish(Tensor x) {
        return torch.mish(x);
    }

    @Override
    public Tensor maxPool(Tensor x, Triple size) {
        return Ops.maxPool(x, size);
    }

    @Override
    public Tensor averagePool(Tensor x, Triple size) {
        return Ops.averagePool(x, size);
    }

    @Override
    public Tensor concat(Tensor first, Tensor second) {
        return torch.cat(new TensorVector(first, second), 1);
    }

    @Override
    public Tensor add(Tensor first, Tensor second) {
        return first.add_(second);
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
