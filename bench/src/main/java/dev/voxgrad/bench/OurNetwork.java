package dev.voxgrad.bench;

import dev.voxgrad.engine.autograd.Gradients;
import dev.voxgrad.engine.autograd.Tape;
import dev.voxgrad.engine.nn.DeepSupervision;
import dev.voxgrad.engine.nn.Module;
import dev.voxgrad.engine.nn.StateTensor;
import dev.voxgrad.engine.op.Loss;
import dev.voxgrad.engine.optim.AdamW;
import dev.voxgrad.engine.optim.GradientNorm;
import dev.voxgrad.engine.tensor.Device;
import dev.voxgrad.engine.tensor.Scope;
import dev.voxgrad.engine.tensor.Tensor;
import dev.voxgrad.losses.Losses;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/** A network: a training step as the trainer does it, or a prediction. Copying the batch to the device is part of both. */
final class OurNetwork implements Side.Run {
    private final Device device;
    private final NetworkProblem problem;
    private final Direction direction;
    private final Module network;
    private final AdamW optimizer = new AdamW(AdamW.Settings.DEFAULT);
    private final Loss loss;
    private final DeepSupervision outputs;
    private final float[] image;
    private final byte[] labels;

    OurNetwork(Device device, NetworkProblem problem, Direction direction) {
        this.device = device;
        this.problem = problem;
        this.direction = direction;
        network = problem.create(direction, device.scope());
        loss = Losses.parse(problem.loss().loss(), problem.network().classes(), OptionalInt.empty());
        outputs = new DeepSupervision(problem.outputWeights());
        image = problem.image();
        labels = problem.labels();
    }

    @Override
    public Map<String, float[]> answer() {
        try (Scope step = device.step(0)) {
            if (direction == Direction.FORWARD) {
                return Map.of("logits", predict(step).toArray());
            }
            Tape tape = Tape.training(step, network.parameters().tensors());
            List<Tensor> logits = network.forward(tape, step.tensor(problem.input(), image));
            Tensor value = loss(tape, logits);
            float[] lossValue = value.toArray();
            float[] full = logits.getFirst().toArray();
            Map<String, Tensor> byName = new LinkedHashMap<>();
            Gradients gradients = tape.backward(value);
            network.parameters().byName().forEach((name, p) -> gradients.of(p).ifPresent(g -> byName.put(name, g)));
            return Map.of("logits", full, "loss", lossValue, "gradient", joined(byName));
        }
    }

    /** All gradients in one tensor: biases before a norm have gradient 0 up to rounding, which has no scale of its own. */
    private float[] joined(Map<String, Tensor> gradients) {
        Map<String, StateTensor> exported = network.parameters().export(gradients);
        float[] all = new float
                [exported.values().stream().mapToInt(t -> t.values().length).sum()];
        int at = 0;
        for (StateTensor tensor : exported.values()) {
            System.arraycopy(tensor.values(), 0, all, at, tensor.values().length);
            at += tensor.values().length;
        }
        return all;
    }

    @Override
    public double milliseconds() {
        long start = System.nanoTime();
        try (Scope step = device.step(0)) {
            if (direction == Direction.FORWARD) {
                predict(step);
            } else {
                Tape tape = Tape.training(step, network.parameters().tensors());
                List<Tensor> logits = network.forward(tape, step.tensor(problem.input(), image));
                Gradients gradients = tape.backward(loss(tape, logits));
                GradientNorm norm = GradientNorm.of(network.parameters(), gradients);
                optimizer.step(
                        network.parameters(),
                        gradients,
                        NetworkProblem.LEARNING_RATE,
                        norm.clipFactor(NetworkProblem.CLIP));
            }
        }
        return (System.nanoTime() - start) / 1e6;
    }

    private Tensor predict(Scope step) {
        return network.forward(Tape.inference(step), step.tensor(problem.input(), image))
                .getFirst();
    }

    private Tensor loss(Tape tape, List<Tensor> logits) {
        return outputs.apply(
                tape, loss, logits, tape.scope().labels(problem.input().withChannels(1), labels));
    }

    @Override
    public void close() {
        device.close();
    }
}
