package dev.voxgrad.bench;

import dev.voxgrad.engine.autograd.Gradients;
import dev.voxgrad.engine.autograd.Tape;
import dev.voxgrad.engine.nn.Parameters;
import dev.voxgrad.engine.optim.AdamW;
import dev.voxgrad.engine.optim.Optimizer;
import dev.voxgrad.engine.optim.Ranger21;
import dev.voxgrad.engine.optim.Sgd;
import dev.voxgrad.engine.tensor.Device;
import dev.voxgrad.engine.tensor.Scope;
import dev.voxgrad.engine.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A step of an optimizer over a table of parameters. */
final class OurOptimizer implements Side.Run {
    private final Device device;
    private final Parameters parameters;
    private final Gradients gradients;
    private final Optimizer optimizer;

    OurOptimizer(Device device, OptimizerProblem problem) {
        this.device = device;
        Scope scope = device.scope();
        parameters = new Parameters(scope, 3, problem.parameters());
        List<Tensor> tensors = new ArrayList<>(parameters.tensors());
        List<Tensor> upstream = new ArrayList<>();
        for (int i = 0; i < tensors.size(); i++) {
            tensors.get(i).set(problem.values(i));
            upstream.add(scope.tensor(tensors.get(i).shape(), problem.gradient(i)));
        }
        gradients = Tape.training(scope, tensors).backward(tensors, upstream); // of leaves: the upstream itself
        optimizer = switch (problem.kind()) {
            case SGD -> new Sgd(Sgd.Settings.NNUNET);
            case ADAMW -> new AdamW(AdamW.Settings.DEFAULT);
            case RANGER21 -> new Ranger21(Ranger21.Settings.DEFAULT);
        };
    }

    @Override
    public Map<String, float[]> answer() {
        milliseconds();
        Map<String, float[]> answer = new LinkedHashMap<>();
        parameters.byName().forEach((name, tensor) -> answer.put(name, tensor.toArray()));
        return answer;
    }

    @Override
    public double milliseconds() {
        long start = System.nanoTime();
        optimizer.step(parameters, gradients, OptimizerProblem.LEARNING_RATE, 1);
        return (System.nanoTime() - start) / 1e6;
    }

    @Override
    public void close() {
        device.close();
    }
}
