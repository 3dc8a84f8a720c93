package dev.voxgrad.bench;

import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.nn.DeepSupervision;
import dev.voxgrad.engine.nn.Initializer;
import dev.voxgrad.engine.nn.Module;
import dev.voxgrad.engine.nn.NetworkCost;
import dev.voxgrad.engine.nn.NetworkSpec;
import dev.voxgrad.engine.nn.Networks;
import dev.voxgrad.engine.nn.StateTensor;
import dev.voxgrad.engine.tensor.Device;
import dev.voxgrad.engine.tensor.Precision;
import dev.voxgrad.engine.tensor.Scope;
import dev.voxgrad.engine.tensor.Shape;
import dev.voxgrad.losses.Losses;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/**
 * A network on a batch. A step is forward, loss, backward, clipping and AdamW with deep supervision; forward is a prediction, with
 * the full resolution only.
 */
public record NetworkProblem(String name, NetworkSpec network, Shape input, Precision precision) implements Problem {
    /** Weights start at the values of this seed. */
    private static final long SEED = 1;

    /** Largest norm of all gradients together, nnU-Net's. */
    public static final double CLIP = 12;

    /** Learning rate; small enough that thousands of steps on noise stay finite. */
    public static final double LEARNING_RATE = 1e-4;

    static NetworkProblem of(Rows.Row row) {
        Shape input = row.shape("in");
        NetworkSpec network = network(
                row.text("network"), input.d() == 1 ? 2 : 3, (int) input.c(), row.integer("classes"), features(row));
        return new NetworkProblem(row.text("name"), network, input, row.precision());
    }

    /** The column {@code features}: channels of the stages, as in 32-64-128. */
    static List<Integer> features(Rows.Row row) {
        return Arrays.stream(row.text("features").split("-"))
                .map(Integer::valueOf)
                .toList();
    }

    /** A network of the default sizes: kernels 3, strides 2. */
    static NetworkSpec network(String name, int dim, int channels, int classes, List<Integer> features) {
        List<List<Integer>> kernels = Networks.cubes(dim, 3, features.size());
        List<List<Integer>> strides = Networks.halvings(dim, features.size());
        return switch (name) {
            case "plain" -> Networks.plainUNet(channels, classes, features, kernels, strides, true);
            case "residual encoder" ->
                Networks.residualEncoderUNet(channels, classes, features, kernels, strides, true);
            case "basic" -> Networks.basicUNet(dim, channels, classes, features, "mish", 0);
            default ->
                throw new ConfigException(
                        "there is no network \"" + name + "\" here; use plain, residual encoder or basic");
        };
    }

    /** The network with deep supervision for a step, without for a prediction. */
    public NetworkSpec network(Direction direction) {
        return direction == Direction.STEP ? network : network.withoutDeepSupervision();
    }

    /** Makes our network with the weights that both sides start from. */
    Module create(Direction direction, Scope scope) {
        Module module = Networks.create(network(direction), scope);
        module.parameters().initialize(Initializer.HE_LEAKY, SEED);
        return module;
    }

    /** The start weights as a PyTorch state dict. */
    public Map<String, StateTensor> weights() {
        try (Device device = Device.cpu(1);
                Scope scope = device.scope()) {
            return create(Direction.STEP, scope).parameters().export();
        }
    }

    private int outputs() {
        return network.deepSupervision() ? network.stages() - 1 : 1;
    }

    /** Weights of the outputs. */
    public List<Double> outputWeights() {
        return DeepSupervision.of(outputs()).weights();
    }

    /** Image values [N,D,H,W,C]. */
    public float[] image() {
        return Data.normal(5, input.elements());
    }

    /** Labels [N,D,H,W]. */
    public byte[] labels() {
        return loss().labels();
    }

    /** The loss of its training step as a problem of its own: the same labels, the same outputs. */
    public LossProblem loss() {
        return new LossProblem(
                name,
                input.withChannels(network.classes()),
                LossProblem.Target.CLASSES,
                0,
                outputs(),
                OptionalInt.empty(),
                Losses.DEFAULT,
                "dice + ce");
    }

    @Override
    public List<Direction> directions() {
        return List.of(Direction.STEP, Direction.FORWARD);
    }

    /** Convolutions only. */
    @Override
    public double flops(Direction direction) {
        NetworkCost cost = NetworkCost.of(network(direction), input);
        return direction == Direction.STEP ? cost.trainingFlops() : 2.0 * cost.forwardMacs();
    }

    /** Float32 rounding through some twenty normalised layers and back. */
    @Override
    public double tolerance() {
        return 1e-3;
    }
}
