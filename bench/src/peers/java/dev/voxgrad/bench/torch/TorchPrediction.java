package dev.voxgrad.bench.torch;

import dev.voxgrad.bench.Direction;
import dev.voxgrad.bench.PredictionProblem;
import dev.voxgrad.bench.Side;
import dev.voxgrad.bench.peer.PeerUNet;
import dev.voxgrad.engine.op.Triple;
import dev.voxgrad.engine.tensor.Shape;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * The same tiles one by one, as nnU-Net does it on a CPU: the weighted logits are added into a volume, which is divided by the sum of
 * the weights at the end.
 */
final class TorchPrediction implements Side.Run {
    private final PredictionProblem problem;
    private final Layout layout;
    private final Kept kept = new Kept();
    private final PeerUNet<Tensor> network;
    private final Tensor image;
    private final Tensor weights; // (1,1,tile)

    TorchPrediction(PredictionProblem problem, Layout layout) {
        this.problem = problem;
        this.layout = layout;
        try (PointerScope scope = new PointerScope()) {
            Map<String, Tensor> parameters = new LinkedHashMap<>();
            problem.tile().weights().forEach((name, weight) -> {
                long[] sizes =
                        weight.shape().stream().mapToLong(Long::longValue).toArray();
                parameters.put(name, kept.keep(layout.arranged(Tensor.create(weight.values(), sizes))));
            });
            network = new PeerUNet<>(problem.tile().network(Direction.FORWARD), new EagerLayers(parameters));
            Triple v = problem.volume();
            long channels = problem.tile().input().c();
            image = kept.keep(
                    Layout.CONTIGUOUS.tensor(problem.image(), new Shape(1, v.d(), v.h(), v.w(), channels), 3));
            weights = kept.keep(Layout.CONTIGUOUS.tensor(
                    problem.weights(), problem.tile().input().withChannels(1), 3));
        }
    }

    private Tensor predict() {
        Triple v = problem.volume();
        int classes = problem.tile().network().classes();
        Tensor sum = torch.zeros(1, classes, v.d(), v.h(), v.w());
        Tensor divisor = torch.zeros(1, 1, v.d(), v.h(), v.w());
        List<Triple> places = problem.places();
        for (Triple place : places) {
            try (PointerScope scope = new PointerScope()) {
                Tensor tile = layout.arranged(cut(image, place));
                Tensor logits = network.forward(tile).getFirst();
                cut(sum, place).add_(logits.mul(weights));
                cut(divisor, place).add_(weights);
            }
        }
        return sum.div_(divisor);
    }

    private Tensor cut(Tensor volume, Triple place) {
        Triple t = problem.window();
        return volume.narrow(2, place.d(), t.d()).narrow(3, place.h(), t.h()).narrow(4, place.w(), t.w());
    }

    @Override
    public Map<String, float[]> answer() {
        try (PointerScope scope = new PointerScope();
                NoGradGuard guard = new NoGradGuard()) {
            return Map.of("logits", Layout.ndhwc(predict()));
        }
    }

    @Override
    public double milliseconds() {
        long start = System.nanoTime();
        try (PointerScope scope = new PointerScope();
                NoGradGuard guard = new NoGradGuard()) {
            predict();
        }
        return (System.nanoTime() - start) / 1e6;
    }

    @Override
    public void close() {
        kept.close();
    }
}
