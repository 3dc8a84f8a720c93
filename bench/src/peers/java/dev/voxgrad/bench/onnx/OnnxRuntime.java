package dev.voxgrad.bench.onnx;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtLoggingLevel;
import dev.voxgrad.bench.ConvProblem;
import dev.voxgrad.bench.Direction;
import dev.voxgrad.bench.NetworkProblem;
import dev.voxgrad.bench.PredictionProblem;
import dev.voxgrad.bench.PredictionRun;
import dev.voxgrad.bench.Problem;
import dev.voxgrad.bench.Side;
import dev.voxgrad.bench.peer.PeerUNet;
import dev.voxgrad.engine.nn.StateTensor;
import dev.voxgrad.engine.tensor.Shape;
import java.util.List;
import java.util.Map;

/** ONNX Runtime on the CPU: forward passes of convolutions and networks, volumes too, as graphs whose weights are constants. */
public final class OnnxRuntime implements Side {
    private static final String INPUT = "input";

    /** Without it the library reports to a server, and first takes the command line apart with a recursion that a long one overflows. */
    private static final String NO_TELEMETRY = "ORT_DISABLE_TELEMETRY";

    private final OrtEnvironment environment;
    private int threads = 1;

    /** Starts the library. */
    public OnnxRuntime() {
        if (System.getenv(NO_TELEMETRY) == null) {
            throw new IllegalStateException(
                    "the environment does not set " + NO_TELEMETRY + "=1, as bench/run.sh does");
        }
        environment = OrtEnvironment.getEnvironment(OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR, "bench");
    }

    @Override
    public String name() {
        return "onnxruntime";
    }

    @Override
    public String version() {
        return "ONNX Runtime " + environment.getVersion();
    }

    @Override
    public void threads(int count) {
        threads = count;
    }

    @Override
    public List<String> settings(Problem problem, Direction direction) {
        boolean known = problem instanceof ConvProblem
                || problem instanceof NetworkProblem
                || problem instanceof PredictionProblem;
        return known && direction == Direction.FORWARD ? List.of("all optimizations") : List.of();
    }

    @Override
    public Run open(Problem problem, Direction direction, String setting) {
        return switch (problem) {
            case ConvProblem conv -> new OnnxRun(session(conv), "y", conv.input(), conv.x());
            case NetworkProblem network ->
                new OnnxRun(session(network, direction), "logits", network.input(), network.image());
            case PredictionProblem prediction ->
                new PredictionRun(name(), new OnnxPrediction(prediction, session(prediction.tile(), direction)));
            default -> throw new IllegalArgumentException("no graph for " + problem.name());
        };
    }

    private OnnxSession session(ConvProblem conv) {
        OnnxModel model = new OnnxModel();
        int dim = dim(conv.input());
        StateTensor weight = ChannelsFirst.weight(conv.w(), conv.weight(), dim);
        OnnxLayers layers = new OnnxLayers(model, Map.of("layer.weight", weight), dim);
        String x = model.input(INPUT, ChannelsFirst.sizes(conv.input(), dim));
        String y = conv.transposed()
                ? layers.convTranspose("layer", x, conv.stride())
                : layers.conv("layer", x, conv.stride(), conv.kernel());
        return new OnnxSession(environment, threads, model.bytes(y), conv.input());
    }

    private OnnxSession session(NetworkProblem network, Direction direction) {
        OnnxModel model = new OnnxModel();
        int dim = network.network().dim();
        OnnxLayers layers = new OnnxLayers(model, network.weights(), dim);
        String logits = new PeerUNet<>(network.network(direction), layers)
                .forward(model.input(INPUT, ChannelsFirst.sizes(network.input(), dim)))
                .getFirst();
        return new OnnxSession(environment, threads, model.bytes(logits), network.input());
    }

    static int dim(Shape input) {
        return input.d() == 1 ? 2 : 3;
    }
}
