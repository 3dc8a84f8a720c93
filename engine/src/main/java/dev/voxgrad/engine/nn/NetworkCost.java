package dev.voxgrad.engine.nn;

import dev.voxgrad.engine.tensor.Shape;
import java.util.ArrayList;
import java.util.List;

/**
 * Size of a network and multiply-adds of its convolutions. Norms, activations and pools are not counted: memory bounds them. Formulas:
 * a convolution has outputs * Cin * kernel multiply-adds, a transposed one with kernel = stride has inputs * Cout * kernel.
 *
 * @param parameters number of weights, those of heads that are not evaluated too
 * @param forwardMacs multiply-adds of a forward pass
 * @param trainingMacs multiply-adds of a training step: forward, gradient of weights, gradient of inputs but the image's
 * @param stages in the order of the forward pass
 */
public record NetworkCost(long parameters, long forwardMacs, long trainingMacs, List<Stage> stages) {
    /**
     * A stage of the network.
     *
     * @param name {@code encoder} or {@code decoder} and the level, 0 being the full resolution
     * @param output its feature map [N,D,H,W,C]
     * @param parameters with upsampling and head
     * @param macs forward
     */
    public record Stage(String name, Shape output, long parameters, long macs) {}

    /** Copies the list. */
    public NetworkCost {
        stages = List.copyOf(stages);
    }

    /**
     * Counts a network.
     *
     * @param input [N,D,H,W,C]
     * @throws dev.voxgrad.engine.ShapeException when the network cannot take this input
     * @throws dev.voxgrad.engine.ConfigException when there is no such network
     */
    public static NetworkCost of(NetworkSpec spec, Shape input) {
        spec.requireInput(input);
        UNetLayout layout = UNetLayout.of(spec);
        List<Stage> stages = new ArrayList<>();
        List<Shape> skips = new ArrayList<>();
        Shape x = input;
        for (int level = 0; level < spec.stages(); level++) {
            Chain stage = layout.encoder().get(level);
            List<ParameterSpec> parameters = new ArrayList<>();
            stage.declare(parameters);
            Shape y = stage.output(x);
            stages.add(new Stage("encoder " + level, y, ParameterSpec.count(parameters), stage.macs(x)));
            skips.add(y);
            x = y;
        }
        for (int d = 0; d < layout.decoder().size(); d++) {
            int level = spec.stages() - 2 - d;
            UNetLayout.Step step = layout.decoder().get(d);
            List<ParameterSpec> parameters = new ArrayList<>();
            step.up().declare(parameters);
            step.blocks().declare(parameters);
            step.head().ifPresent(h -> h.declare(parameters));
            Shape both = skips.get(level).withChannels(step.up().channels());
            Shape y = step.blocks().output(both);
            boolean evaluated = level == 0 || spec.deepSupervision();
            long head = evaluated ? step.head().map(h -> h.macs(y)).orElse(0L) : 0;
            long macs = step.up().macs(x) + step.blocks().macs(both) + head;
            stages.add(new Stage("decoder " + level, y, ParameterSpec.count(parameters), macs));
            x = y;
        }
        long parameters = stages.stream().mapToLong(Stage::parameters).sum();
        long forward = stages.stream().mapToLong(Stage::macs).sum();
        long first = layout.encoder().get(0).blocks().get(0).macs(input); // its input is the image
        return new NetworkCost(parameters, forward, 3 * forward - first, stages);
    }

    /** Floating point operations of a forward pass: two per multiply-add. */
    public long forwardFlops() {
        return 2 * forwardMacs;
    }

    /** Floating point operations of a training step: two per multiply-add. */
    public long trainingFlops() {
        return 2 * trainingMacs;
    }
}
