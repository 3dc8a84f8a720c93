package dev.voxgrad.bench.onnx;

import dev.voxgrad.bench.onnx.OnnxModel.Attribute;
import dev.voxgrad.bench.peer.Layers;
import dev.voxgrad.engine.nn.StateTensor;
import dev.voxgrad.engine.op.Triple;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Nodes of an ONNX graph; a tensor is the name of an edge. Depth 1 becomes 2D. */
final class OnnxLayers implements Layers<String> {
    private final OnnxModel model;
    private final Map<String, StateTensor> parameters;
    private final int dim;
    private final Set<String> written = new HashSet<>();

    OnnxLayers(OnnxModel model, Map<String, StateTensor> parameters, int dim) {
        this.model = model;
        this.parameters = parameters;
        this.dim = dim;
    }

    @Override
    public boolean has(String parameter) {
        return parameters.containsKey(parameter);
    }

    @Override
    public String conv(String name, String x, Triple stride, Triple kernel) {
        long[] before = axes(new Triple((kernel.d() - 1) / 2, (kernel.h() - 1) / 2, (kernel.w() - 1) / 2));
        long[] pads = Arrays.copyOf(before, 2 * dim);
        System.arraycopy(before, 0, pads, dim, dim);
        return model.node(
                "Conv",
                inputs(name, x),
                Attribute.of("kernel_shape", axes(kernel)),
                Attribute.of("strides", axes(stride)),
                Attribute.of("pads", pads));
    }

    @Override
    public String convTranspose(String name, String x, Triple stride) {
        return model.node(
                "ConvTranspose",
                inputs(name, x),
                Attribute.of("kernel_shape", axes(stride)),
                Attribute.of("strides", axes(stride)));
    }

    @Override
    public String norm(String name, String x, double eps) {
        return model.node("InstanceNormalization", inputs(name, x), Attribute.of("epsilon", eps));
    }

    @Override
    public String leakyRelu(String x, double slope) {
        return model.node("LeakyRelu", List.of(x), Attribute.of("alpha", slope));
    }

    @Override
    public String mish(String x) {
        return model.node("Mish", List.of(x));
    }

    @Override
    public String maxPool(String x, Triple size) {
        return pool("MaxPool", x, size);
    }

    @Override
    public String averagePool(String x, Triple size) {
        return pool("AveragePool", x, size);
    }

    private String pool(String operator, String x, Triple size) {
        return model.node(
                operator, List.of(x), Attribute.of("kernel_shape", axes(size)), Attribute.of("strides", axes(size)));
    }

    @Override
    public String concat(String first, String second) {
        return model.node("Concat", List.of(first, second), Attribute.of("axis", 1));
    }

    @Override
    public String add(String first, String second) {
        return model.node("Add", List.of(first, second));
    }

    /** An edge and the parameters of a layer, which become constants of the graph. */
    private List<String> inputs(String name, String x) {
        List<String> inputs = new ArrayList<>(List.of(x));
        for (String parameter : List.of(name + ".weight", name + ".bias")) {
            StateTensor tensor = parameters.get(parameter);
            if (tensor != null) {
                inputs.add(parameter);
                if (written.add(parameter)) {
                    long[] sizes =
                            tensor.shape().stream().mapToLong(Long::longValue).toArray();
                    model.constant(parameter, sizes, tensor.values());
                }
            }
        }
        return inputs;
    }

    private long[] axes(Triple t) {
        return Arrays.copyOfRange(new long[] {t.d(), t.h(), t.w()}, 3 - dim, 3);
    }
}
