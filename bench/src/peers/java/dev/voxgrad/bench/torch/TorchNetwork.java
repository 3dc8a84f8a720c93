package dev.voxgrad.bench.torch;

import dev.voxgrad.bench.Direction;
import dev.voxgrad.bench.NetworkProblem;
import dev.voxgrad.bench.Side;
import dev.voxgrad.engine.nn.NetworkSpec;
import dev.voxgrad.engine.op.Triple;
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
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/** The plain U-Net composed of PyTorch's ops on the same weights. Labels of the lower resolutions are given, as by a loader. */
final class TorchNetwork implements Side.Run {
    private final NetworkProblem problem;
    private final NetworkSpec spec;
    private final Direction direction;
    private final Kept kept = new Kept();
    private final Map<String, Tensor> parameters = new LinkedHashMap<>();
    private final TensorVector table;
    private final Tensor image;
    private final List<EagerLoss> losses = new ArrayList<>();
    private final AdamW optimizer;

    TorchNetwork(NetworkProblem problem, Direction direction, Layout layout) {
        this.problem = problem;
        this.direction = direction;
        spec = problem.network(direction);
        try (PointerScope scope = new PointerScope()) {
            table = kept.keep(new TensorVector());
            problem.weights().forEach((name, weight) -> {
                long[] sizes = weight.shape().stream().mapToLong(Long::longValue).toArray();
                Tensor t = kept.keep(layout.arranged(Tensor.create(weight.values(), sizes)));
                parameters.put(name, t.requires_grad_(direction == Direction.STEP));
                table.push_back(t);
            });
            image = kept.keep(layout.tensor(problem.image(), problem.input(), spec.dim()));
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
                    return Map.of("logits", Layout.ndhwc(forward().getFirst()));
                }
            }
            optimizer.zero_grad();
            List<Tensor> logits = forward();
            Tensor loss = loss(logits);
            loss.backward();
            TensorVector flat = new TensorVector();
            // The lowest head has weight 0 and no gradient.
            parameters.values().stream().map(Tensor::grad).filter(Tensor::defined).forEach(gradient ->
                    flat.push_back(gradient.contiguous().flatten()));
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
                    forward();
                }
            } else {
                optimizer.zero_grad();
                loss(forward()).backward();
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

    /** Logits, full resolution first. */
    private List<Tensor> forward() {
        List<Tensor> skips = new ArrayList<>();
        Tensor x = image;
        for (int s = 0; s < spec.stages(); s++) {
            x = stage("encoder.stages." + s + ".0", x, spec.encoderConvs().get(s), spec.stride(s), spec.kernel(s));
            skips.add(x);
        }
        List<Tensor> logits = new ArrayList<>();
        for (int d = 0; d < spec.stages() - 1; d++) {
            int level = spec.stages() - 2 - d;
            String up = "decoder.transpconvs." + d;
            Tensor wider = Ops.convTranspose(x, weight(up), bias(up), spec.stride(level + 1));
            x = torch.cat(new TensorVector(wider, skips.get(level)), 1);
            x = stage("decoder.stages." + d, x, spec.decoderConvs().get(d), Triple.of(1), spec.kernel(level));
            if (level == 0 || spec.deepSupervision()) {
                String head = "decoder.seg_layers." + d;
                logits.addFirst(Ops.conv(x, weight(head), bias(head), Triple.of(1), Triple.of(0)));
            }
        }
        return logits;
    }

    private Tensor stage(String name, Tensor input, int convs, Triple stride, Triple kernel) {
        Triple padding = new Triple((kernel.d() - 1) / 2, (kernel.h() - 1) / 2, (kernel.w() - 1) / 2);
        Tensor x = input;
        for (int i = 0; i < convs; i++) {
            String block = name + ".convs." + i;
            String conv = block + ".conv";
            String norm = block + ".norm";
            x = Ops.conv(x, weight(conv), bias(conv), i == 0 ? stride : Triple.of(1), padding);
            x = torch.instance_norm(
                    x,
                    new TensorOptional(weight(norm)),
                    bias(norm),
                    new TensorOptional(),
                    new TensorOptional(),
                    true,
                    0.1, // momentum of running statistics that are not kept
                    spec.eps(),
                    false);
            x = torch.leaky_relu_(x, new Scalar(spec.negativeSlope()));
        }
        return x;
    }

    private Tensor weight(String name) {
        return parameters.get(name + ".weight");
    }

    private TensorOptional bias(String name) {
        return new TensorOptional(parameters.get(name + ".bias"));
    }

    @Override
    public void close() {
        kept.close();
    }
}
