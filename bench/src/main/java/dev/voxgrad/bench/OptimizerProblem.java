package dev.voxgrad.bench;

import dev.voxgrad.engine.nn.NetworkSpec;
import dev.voxgrad.engine.nn.Networks;
import dev.voxgrad.engine.nn.ParameterSpec;
import java.util.List;

/** A step of an optimizer over the parameter table of a plain 3D U-Net, on constant random gradients. */
public record OptimizerProblem(String name, Kind kind, NetworkSpec network) implements Problem {
    /** Optimizers. */
    public enum Kind {
        /** Nesterov momentum 0.99, weight decay 3e-5. */
        SGD(5),
        /** PyTorch's defaults. */
        ADAMW(7),
        /**
         * The defaults of the public code. Two passes, as the spread of all second moments comes before any step: x, g, s read, s
         * written; then x, g, s and both momenta read, x and one momentum written; every fifth step also the slow weights.
         */
        RANGER21(11.4);

        /** Floats that a step reads or writes for each parameter: parameter and states both, the gradient read only. */
        private final double floats;

        Kind(double floats) {
            this.floats = floats;
        }
    }

    /** Learning rate of every step. */
    public static final double LEARNING_RATE = 1e-3;

    static OptimizerProblem of(Rows.Row row) {
        Kind kind = row.choice("optimizer", Kind.values());
        return new OptimizerProblem(
                row.text("name"), kind, NetworkProblem.network("plain", 3, 1, 3, NetworkProblem.features(row)));
    }

    /** Names and sizes of the parameters. */
    public List<ParameterSpec> parameters() {
        return Networks.parameters(network);
    }

    /** Start values of a parameter. */
    public float[] values(int parameter) {
        return Data.normal(parameter, parameters().get(parameter).shape().elements());
    }

    /** Gradient of a parameter. */
    public float[] gradient(int parameter) {
        return Data.normal(
                1000L + parameter, parameters().get(parameter).shape().elements());
    }

    @Override
    public List<Direction> directions() {
        return List.of(Direction.STEP);
    }

    @Override
    public double bytes(Direction direction) {
        return kind.floats * Float.BYTES * ParameterSpec.count(parameters());
    }

    /** Elementwise float32 arithmetic. */
    @Override
    public double tolerance() {
        return 1e-5;
    }
}
