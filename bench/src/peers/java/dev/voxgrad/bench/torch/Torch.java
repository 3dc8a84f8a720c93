package dev.voxgrad.bench.torch;

import dev.voxgrad.bench.ConvProblem;
import dev.voxgrad.bench.Direction;
import dev.voxgrad.bench.LossProblem;
import dev.voxgrad.bench.NetworkProblem;
import dev.voxgrad.bench.OptimizerProblem;
import dev.voxgrad.bench.PredictionProblem;
import dev.voxgrad.bench.PredictionRun;
import dev.voxgrad.bench.Problem;
import dev.voxgrad.bench.Side;
import dev.voxgrad.bench.VolumeProblem;
import dev.voxgrad.engine.tensor.Shape;
import java.util.List;
import org.bytedeco.pytorch.global.torch;

/** Eager PyTorch: what a user of PyTorch runs, in both memory layouts. */
public final class Torch implements Side {
    private static final String VERSION = "2.10.0, bytedeco 1.5.13";
    private static final String OPTIMIZERS = "torch::optim";

    /** Loads the library and its convolution code once, so that this does not count as memory of the first problem. */
    public Torch() {
        ConvProblem small = ConvProblem.of("load", new Shape(1, 8, 8, 8, 8), 8, 3, 1);
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
    public List<String> settings(Problem problem, Direction direction) {
        if (problem instanceof OptimizerProblem optimizer) {
            return optimizer.kind() == OptimizerProblem.Kind.RANGER21 ? List.of() : List.of(OPTIMIZERS);
        }
        if (problem instanceof LossProblem loss && loss.logits().c() == 1) {
            return List.of(Layout.CONTIGUOUS.toString()); // with one channel both layouts are the same
        }
        if (problem instanceof VolumeProblem volume) {
            // One channel, so both layouts are the same; there are no cubic splines in three dimensions.
            return volume.work() == VolumeProblem.Work.LINEAR ? List.of(Layout.CONTIGUOUS.toString()) : List.of();
        }
        return problem instanceof PredictionProblem
                ? TorchPrediction.settings()
                : List.of(Layout.CONTIGUOUS.toString(), Layout.CHANNELS_LAST.toString());
    }

    @Override
    public Run open(Problem problem, Direction direction, String setting) {
        return switch (problem) {
            case ConvProblem conv -> new TorchConv(conv, direction, Layout.of(setting));
            case NetworkProblem network -> new TorchNetwork(network, direction, Layout.of(setting));
            case LossProblem loss -> new TorchLoss(loss, Layout.of(setting));
            case OptimizerProblem optimizer -> new TorchOptimizer(optimizer);
            case PredictionProblem prediction ->
                new PredictionRun(name() + " " + setting, new TorchPrediction(prediction, setting));
            case VolumeProblem volume -> new TorchResampling(volume);
        };
    }
}
