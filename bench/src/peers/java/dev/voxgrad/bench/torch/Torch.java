package dev.voxgrad.bench.torch;

import dev.voxgrad.bench.ConvProblem;
import dev.voxgrad.bench.Direction;
import dev.voxgrad.bench.LossProblem;
import dev.voxgrad.bench.NetworkProblem;
import dev.voxgrad.bench.OptimizerProblem;
import dev.voxgrad.bench.Problem;
import dev.voxgrad.bench.Side;
import dev.voxgrad.engine.tensor.Shape;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.pytorch.global.torch;

/** Eager PyTorch: what a user of PyTorch runs, in both memory layouts. */
public final class Torch implements Side {
    private static final String VERSION = "2.10.0, bytedeco 1.5.13";
    private static final String OPTIMIZERS = "torch::optim";

    /** Loads the library and its convolution code once, so that this does not count as memory of the first problem. */
    public Torch() {
        ConvProblem small = new ConvProblem("load", new Shape(1, 8, 8, 8, 8), 8, 3, 1, "default");
        for (Layout layout : Layout.values()) {
            try (Run run = new TorchConv(small, Direction.BACKWARD, layout)) {
                run.milliseconds();
            }
        }
    }

    @Override
    public String name() {
        return "pytorch";
    }

    @Override
    public String version() {
        return "PyTorch " + VERSION;
    }

    @Override
    public void threads(int count) {
        torch.set_num_threads(count);
    }

    @Override
    public List<String> settings(Problem problem) {
        boolean oneLayout = problem instanceof LossProblem loss && loss.logits().c() == 1;
        return problem instanceof OptimizerProblem
                ? List.of(OPTIMIZERS)
                : Arrays.stream(Layout.values())
                        .filter(layout -> layout == Layout.CONTIGUOUS || !oneLayout)
                        .map(Layout::toString)
                        .toList();
    }

    @Override
    public Run open(Problem problem, Direction direction, String setting) {
        return switch (problem) {
            case ConvProblem conv -> new TorchConv(conv, direction, Layout.of(setting));
            case NetworkProblem network -> new TorchNetwork(network, direction, Layout.of(setting));
            case LossProblem loss -> new TorchLoss(loss, Layout.of(setting));
            case OptimizerProblem optimizer -> new TorchOptimizer(optimizer);
        };
    }
}
