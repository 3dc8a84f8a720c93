package dev.voxgrad.bench.torch;

import dev.voxgrad.bench.Direction;
import dev.voxgrad.bench.NetworkProblem;
import dev.voxgrad.bench.Side;
import dev.voxgrad.bench.peer.PeerUNet;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.AdamW;
import org.bytedeco.pytorch.AdamWOptions;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/** A training step or a prediction on the same weights. Labels of the lower resolutions are given, as by a loader. */
final class TorchNetwork implements Side.Run {
    private final NetworkProblem problem;
    private final Direction direction;
    private final Kept kept = new Kept();
    private final Map<String, Tensor> parameters = new LinkedHashMap<>();
    private final TensorVector table;
    private final PeerUNet<Tensor> network;
    private final Tensor image;
    private final List<EagerLoss> losses = new ArrayList<>();
    private final AdamW optimizer;

    TorchNetwork(NetworkProblem problem, Direction direction, Layout layout) {
        this.problem = problem;
        this.direction = direction;
        try (PointerScope scope = new PointerScope()) {
            table = kept.keep(new TensorVector());
            problem.weights().forEach((name, weight) -> {
                long[] sizes =
                        weight.shape().stream().mapToLong(Long::longValue).toArray();
                Tensor t = kept.keep(layout.arranged(Tensor.create(weight.values(), sizes)));
                parameters.put(name, t.requires_grad_(direction == Direction.STEP));
                table.push_back(t);
            });
            network = new PeerUNet<>(problem.network(direction), new EagerLayers(parameters));
            image = kept.keep(layout.tensor(
                    problem.image(), problem.input(), problem.network().dim()));
            for (int r = 0; r < problem.outputWeights().size(); r++) {
                losses.add(EagerLoss.of(kept, problem.loss(), r));
            }
            AdamWOptions options = new AdamWOptions(NetworkProblem.LEARNING_RATE);
            optimizer = kept.keep(new AdamW(table, options));
        }
    }

    @Override
    public Map<String, float[]> answer() {
        try (PointerScope scope = new PointerScope()) {
            if (direction == Direction.FORWARD) {
                try (NoGradGuard guard = new NoGradGuard()) {
                    return Map.of("logits", Layout.ndhwc(network.forward(image).getFirst()));
                }
            }
            optimizer.zero_grad();
            List<Tensor> logits = network.forward(image);
            Tensor loss = loss(logits);
            loss.backward();
            TensorVector flat = new TensorVector();
            // The lowest head has weight 0 and no gradient.
            parameters.values().stream()
                    .map(Tensor::grad)
                    .filter(Tensor::defined)
                    .forEach(gradient -> flat.push_back(gradient.contiguous().flatten()));
            Map<String, float[]> answer = new LinkedHashMap<>();
            answer.put("logits", Layout.ndhwc(logits.getFirst()));
            answer.put("loss", Layout.values(loss));
            answer.put("gradient", Layout.values(torch.cat(flat)));
            return answer;
        }
    }

    @Override
    public double milliseconds() {
        long start = System.nanoTime();
        try (PointerScope scope = new PointerScope()) {
            if (direction == Direction.FORWARD) {
                try (NoGradGuard guard = new NoGradGuard()) {
                    network.forward(image);
                }
            } else {
                optimizer.zero_grad();
                loss(network.forward(image)).backward();
                torch.clip_grad_norm_(table, NetworkProblem.CLIP);
                optimizer.step();
            }
        }
        return (System.nanoTime() - start) / 1e6;
    }

    private Tensor loss(List<Tensor> logits) {
        List<Double> weights = problem.outputWeights();
        Tensor sum = losses.getFirst().value(logits.getFirst()).mul(new Scalar(weights.getFirst()));
        for (int r = 1; r < logits.size(); r++) {
            if (weights.get(r) != 0) {
                sum = sum.add(losses.get(r).value(logits.get(r)).mul(new Scalar(weights.get(r))));
            }
        }
        return sum;
    }

    @Override
    public void close() {
        kept.close();
    }
}
