package dev.voxgrad.bench;

import dev.voxgrad.engine.autograd.Gradients;
import dev.voxgrad.engine.autograd.Tape;
import dev.voxgrad.engine.nn.DeepSupervision;
import dev.voxgrad.engine.op.Loss;
import dev.voxgrad.engine.op.Progress;
import dev.voxgrad.engine.tensor.Device;
import dev.voxgrad.engine.tensor.Labels;
import dev.voxgrad.engine.tensor.Scope;
import dev.voxgrad.engine.tensor.Tensor;
import dev.voxgrad.losses.Losses;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;

/**
 * Value and gradient of a loss, with everything that it derives from the labels: coarser labels, components. A schedule stands at the
 * middle of the training.
 */
final class OurLoss implements Side.Run {
    private static final int EPOCHS = 100;

    private final Device device;
    private final Loss loss;
    private final DeepSupervision outputs;
    private final List<Tensor> logits = new ArrayList<>();
    private final Labels labels;

    OurLoss(Device device, LossProblem problem) {
        this.device = device;
        Scope scope = device.scope();
        loss = Losses.parse(problem.loss(), (int) problem.logits().c(), problem.ignore())
                .at(Progress.ofEpoch(EPOCHS / 2, EPOCHS));
        outputs = DeepSupervision.of(problem.outputs());
        for (int r = 0; r < problem.outputs(); r++) {
            logits.add(scope.tensor(problem.logits(r), problem.z(r)));
        }
        labels = scope.labels(problem.labelShape(), problem.labels());
    }

    @Override
    public Map<String, float[]> answer() {
        Map<String, float[]> answer = new LinkedHashMap<>();
        run((name, tensor) -> answer.put(name, tensor.toArray()));
        return answer;
    }

    @Override
    public double milliseconds() {
        long start = System.nanoTime();
        run((name, tensor) -> {});
        return (System.nanoTime() - start) / 1e6;
    }

    private void run(BiConsumer<String, Tensor> results) {
        try (Scope step = device.scope()) {
            Tape tape = Tape.training(step, logits);
            Tensor value = logits.size() == 1
                    ? loss.apply(tape, logits.getFirst(), labels)
                    : outputs.apply(tape, loss, logits, labels);
            results.accept("loss", value);
            Gradients gradients = tape.backward(value);
            for (int r = 0; r < logits.size(); r++) {
                String name = "gradient " + r;
                gradients.of(logits.get(r)).ifPresent(gradient -> results.accept(name, gradient));
            }
        }
    }

    @Override
    public void close() {
        device.close();
    }
}
