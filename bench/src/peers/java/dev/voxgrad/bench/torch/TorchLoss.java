package dev.voxgrad.bench.torch;

import dev.voxgrad.bench.LossProblem;
import dev.voxgrad.bench.Side;
import dev.voxgrad.engine.nn.DeepSupervision;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/** Value and gradient of an eager composition. Labels of lower resolutions and components are given, as by a loader. */
final class TorchLoss implements Side.Run {
    private final Kept kept = new Kept();
    private final List<Tensor> logits = new ArrayList<>();
    private final List<EagerLoss> losses = new ArrayList<>();
    private final List<Double> weights = new ArrayList<>();

    TorchLoss(LossProblem problem, Layout layout) {
        List<Double> all = DeepSupervision.of(problem.outputs()).weights();
        try (PointerScope scope = new PointerScope()) {
            for (int r = 0; r < problem.outputs(); r++) {
                if (all.get(r) != 0) {
                    int dim = Layout.dim(problem.logits());
                    Tensor z = kept.keep(layout.tensor(problem.z(r), problem.logits(r), dim));
                    logits.add(z.requires_grad_(true));
                    losses.add(EagerLoss.of(kept, problem, r));
                    weights.add(all.get(r));
                }
            }
        }
    }

    @Override
    public Map<String, float[]> answer() {
        try (PointerScope scope = new PointerScope()) {
            Map<String, float[]> answer = new LinkedHashMap<>();
            answer.put("loss", Layout.values(run()));
            for (int r = 0; r < logits.size(); r++) {
                answer.put("gradient " + r, Layout.ndhwc(logits.get(r).grad()));
            }
            return answer;
        }
    }

    @Override
    public double milliseconds() {
        long start = System.nanoTime();
        try (PointerScope scope = new PointerScope()) {
            run();
        }
        return (System.nanoTime() - start) / 1e6;
    }

    private Tensor run() {
        for (Tensor z : logits) {
            z.mutable_grad().reset();
        }
        Tensor sum = losses.getFirst().value(logits.getFirst()).mul(new Scalar(weights.getFirst()));
        for (int r = 1; r < logits.size(); r++) {
            sum = sum.add(losses.get(r).value(logits.get(r)).mul(new Scalar(weights.get(r))));
        }
        sum.backward();
        return sum;
    }

    @Override
    public void close() {
        kept.close();
    }
}
