package dev.voxgrad.bench.torch;

import dev.voxgrad.bench.OptimizerProblem;
import dev.voxgrad.bench.Side;
import dev.voxgrad.engine.nn.ParameterSpec;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.AdamW;
import org.bytedeco.pytorch.AdamWOptions;
import org.bytedeco.pytorch.Optimizer;
import org.bytedeco.pytorch.SGD;
import org.bytedeco.pytorch.SGDOptions;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;

/** PyTorch's C++ optimizers. They work elementwise, so the tensors are flat and in our order of memory. */
final class TorchOptimizer implements Side.Run {
    private final Kept kept = new Kept();
    private final Map<String, Tensor> parameters = new LinkedHashMap<>();
    private final Optimizer optimizer;

    TorchOptimizer(OptimizerProblem problem) {
        try (PointerScope scope = new PointerScope()) {
            TensorVector table = new TensorVector();
            List<ParameterSpec> specs = problem.parameters();
            for (int i = 0; i < specs.size(); i++) {
                Tensor t = kept.keep(Tensor.create(problem.values(i)).requires_grad_(true));
                t.mutable_grad().put(Tensor.create(problem.gradient(i)));
                parameters.put(specs.get(i).name(), t);
                table.push_back(t);
            }
            optimizer = kept.keep(
                    switch (problem.kind()) {
                        case SGD -> {
                            SGDOptions options = new SGDOptions(OptimizerProblem.LEARNING_RATE);
                            options.momentum().put(0.99);
                            options.nesterov().put(true);
                            options.weight_decay().put(3e-5);
                            yield new SGD(table, options);
                        }
                        case ADAMW -> new AdamW(table, new AdamWOptions(OptimizerProblem.LEARNING_RATE));
                        case RANGER21 -> throw new IllegalArgumentException("PyTorch has no Ranger21");
                    });
        }
    }

    @Override
    public Map<String, float[]> answer() {
        milliseconds();
        try (PointerScope scope = new PointerScope()) {
            Map<String, float[]> answer = new LinkedHashMap<>();
            parameters.forEach((name, tensor) -> answer.put(name, Layout.values(tensor)));
            return answer;
        }
    }

    @Override
    public double milliseconds() {
        long start = System.nanoTime();
        try (PointerScope scope = new PointerScope()) {
            optimizer.step();
        }
        return (System.nanoTime() - start) / 1e6;
    }

    @Override
    public void close() {
        kept.close();
    }
}
