package dev.voxgrad.bench.torch;

import dev.voxgrad.bench.ConvProblem;
import dev.voxgrad.bench.Direction;
import dev.voxgrad.bench.Side;
import java.util.Map;
import java.util.Optional;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.BoolOptional;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/** A convolution layer. The backward pass runs again and again on the graph of one forward pass. */
final class TorchConv implements Side.Run {
    private final ConvProblem problem;
    private final Direction direction;
    private final Kept kept = new Kept();
    private final Tensor x;
    private final Tensor w;
    private final Optional<Tensor> dy;
    private final Optional<Tensor> y;

    TorchConv(ConvProblem problem, Direction direction, Layout layout) {
        this.problem = problem;
        this.direction = direction;
        int dim = Layout.dim(problem.input());
        try (PointerScope scope = new PointerScope()) {
            boolean gradients = direction == Direction.BACKWARD;
            x = kept.keep(layout.tensor(problem.x(), problem.input(), dim)).requires_grad_(gradients);
            w = kept.keep(layout.tensor(problem.w(), problem.weight(), dim)).requires_grad_(gradients);
            if (gradients) {
                dy = Optional.of(kept.keep(layout.tensor(problem.dy(), problem.output(), dim)));
                y = Optional.of(kept.keep(forward()));
            } else {
                dy = Optional.empty();
                y = Optional.empty();
            }
        }
    }

    private Tensor forward() {
        return problem.transposed()
                ? Ops.convTranspose(x, w, new TensorOptional(), problem.stride())
                : Ops.conv(x, w, new TensorOptional(), problem.stride(), problem.padding());
    }

    private TensorVector backward() {
        return torch.grad(
                new TensorVector(y.orElseThrow()),
                new TensorVector(x, w),
                new TensorVector(dy.orElseThrow()),
                new BoolOptional(true),
                false,
                false);
    }

    @Override
    public Map<String, float[]> answer() {
        try (PointerScope scope = new PointerScope()) {
            if (direction == Direction.BACKWARD) {
                TensorVector gradients = backward();
                return Map.of("dx", Layout.ndhwc(gradients.get(0)), "dw", Layout.ndhwc(gradients.get(1)));
            }
            return Map.of("y", Layout.ndhwc(forward()));
        }
    }

    @Override
    public double milliseconds() {
        try (PointerScope scope = new PointerScope();
                NoGradGuard guard = new NoGradGuard()) {
            long start = System.nanoTime();
            if (direction == Direction.BACKWARD) {
                backward();
            } else {
                forward();
            }
            return (System.nanoTime() - start) / 1e6;
        }
    }

    @Override
    public void close() {
        kept.close();
    }
}
