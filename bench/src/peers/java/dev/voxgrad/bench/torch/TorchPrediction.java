package dev.voxgrad.bench.torch;

import dev.voxgrad.bench.Direction;
import dev.voxgrad.bench.PredictionProblem;
import dev.voxgrad.bench.PredictionRun;
import dev.voxgrad.bench.peer.PeerUNet;
import dev.voxgrad.engine.infer.SlidingWindow;
import dev.voxgrad.engine.op.Triple;
import dev.voxgrad.engine.tensor.Shape;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/**
 * The same tiles as nnU-Net takes them on a CPU: weighted logits are added into a volume, in place, which is divided by the sum of the
 * weights at the end. Tiles go through the network one by one or two at once: PyTorch has no fast convolution for a small batch of one.
 */
final class TorchPrediction implements PredictionRun.Prediction {
    private static final String TWO_AT_ONCE = ", 2 tiles at once";

    private final PredictionProblem problem;
    private final Layout layout;
    private final int atOnce;
    private final Kept kept = new Kept();
    private final PeerUNet<Tensor> network;
    private final Tensor image;
    private final Tensor weights; // (1,1,tile)
    private final Tensor logitWeights; // (1,classes,tile), the same for all: no op has to repeat them
    private final Tensor logits; // (1,classes,volume)
    private final Tensor weightSums; // (1,1,volume)

    TorchPrediction(PredictionProblem problem, String setting) {
        this.problem = problem;
        layout = Layout.of(setting.replace(TWO_AT_ONCE, ""));
        atOnce = setting.endsWith(TWO_AT_ONCE) ? 2 : 1;
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
            image = kept.keep(layout.tensor(problem.image(), new Shape(1, v.d(), v.h(), v.w(), channels), 3));
            Tensor map = layout.tensor(problem.weights(), problem.tile().input().withChannels(1), 3);
            int classes = problem.tile().network().classes();
            weights = kept.keep(map);
            logitWeights = kept.keep(layout.arranged(map.expand(-1, classes, -1, -1, -1)));
            logits = kept.keep(layout.arranged(torch.empty(1, classes, v.d(), v.h(), v.w())));
            weightSums = kept.keep(layout.arranged(torch.empty(1, 1, v.d(), v.h(), v.w())));
        }
    }

    /** Both layouts, each with one tile and with two. */
    static List<String> settings() {
        return Arrays.stream(Layout.values())
                .flatMap(layout -> Stream.of(layout.toString(), layout + TWO_AT_ONCE))
                .toList();
    }

    @Override
    public void predict(SlidingWindow.Progress progress) {
        try (NoGradGuard guard = new NoGradGuard();
                PointerScope scope = new PointerScope()) {
            logits.zero_();
            weightSums.zero_();
            List<Triple> places = problem.places();
            for (int at = 0; at < places.size(); at += atOnce) {
                List<Triple> batch = places.subList(at, Math.min(places.size(), at + atOnce));
                predict(batch);
                progress.tiles(at + batch.size(), places.size());
            }
            logits.div_(weightSums);
        }
    }

    private void predict(List<Triple> batch) {
        try (PointerScope scope = new PointerScope()) {
            TensorVector tiles = new TensorVector();
            batch.forEach(place -> tiles.push_back(cut(image, place)));
            Tensor predicted =
                    network.forward(layout.dense(torch.cat(tiles, 0))).getFirst();
            for (int i = 0; i < batch.size(); i++) {
                cut(logits, batch.get(i)).addcmul_(predicted.narrow(0, i, 1), logitWeights);
                cut(weightSums, batch.get(i)).add_(weights);
            }
        }
    }

    private Tensor cut(Tensor volume, Triple place) {
        Triple t = problem.window();
        return volume.narrow(2, place.d(), t.d()).narrow(3, place.h(), t.h()).narrow(4, place.w(), t.w());
    }

    @Override
    public float[] logits() {
        try (PointerScope scope = new PointerScope()) {
            return Layout.ndhwc(logits);
        }
    }

    @Override
    public void close() {
        kept.close();
    }
}
