package dev.voxgrad.losses;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.voxgrad.engine.autograd.Gradients;
import dev.voxgrad.engine.nn.Parameters;
import dev.voxgrad.engine.optim.GradientNorm;
import dev.voxgrad.engine.optim.Optimizer;
import dev.voxgrad.engine.optim.Sgd;
import dev.voxgrad.engine.tensor.Device;
import dev.voxgrad.engine.tensor.Scope;
import dev.voxgrad.engine.tensor.Tensor;
import dev.voxgrad.golden.Devices;
import dev.voxgrad.golden.GoldenCase;
import dev.voxgrad.golden.GoldenNetworks;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Ten U-Net training steps on a golden batch. */
class TenStepsTest {
    private static final int STEPS = 10;
    private static final Sgd.Settings PLAIN_SGD = new Sgd.Settings(0, false, 0, 0);

    /** The fall of the loss that a step aims at: 3e4 times the rounding of a float32 loss near 1, yet small against the loss. */
    private static final double FALL = 4e-3;

    /** Of that fall: what the curvature of the loss along the gradient may add. */
    private static final double FIRST_ORDER_TOLERANCE = 0.02;

    /** Of a step: how far the slope looks to each side. Shorter meets fewer kinks; rounding is still 1e-4 of the difference. */
    private static final double SLOPE_REACH = 0.25;

    /** Of the slope: rounding of two float32 losses, and kinks of the activation between them. */
    private static final double DIFFERENCE_TOLERANCE = 0.005;

    /** Steps of learning rate 0 in the memory of the steps before: the reference each time, and the same bits. */
    @TestFactory
    Stream<DynamicTest> repeatedStepsGiveTheSameBits() {
        return GoldenStep.tests(c -> Devices.each(device -> repeat(c.on(device.name()), device)));
    }

    private static void repeat(GoldenCase golden, Device device) {
        try (Scope model = device.scope()) {
            GoldenStep step = new GoldenStep(golden, model);
            Optimizer optimizer = new Sgd(PLAIN_SGD);
            Map<String, float[]> first = new LinkedHashMap<>();
            long live = 0;
            long reserved = 0;
            for (int i = 0; i < STEPS; i++) {
                try (Scope scope = device.scope()) {
                    GoldenStep.Result result = step.run(scope);
                    float[] loss = result.loss().toArray();
                    golden.check("out/loss", loss);
                    assertSameBits(first.computeIfAbsent("loss", k -> loss), loss, "loss", i);
                    for (Map.Entry<String, float[]> e : GoldenNetworks.gradients(step.parameters(), result.gradients())
                            .entrySet()) {
                        float[] gradient = e.getValue();
                        golden.check("loss/" + e.getKey(), gradient);
                        assertSameBits(
                                first.computeIfAbsent("loss/" + e.getKey(), k -> gradient), gradient, e.getKey(), i);
                    }
                    optimizer.step(step.parameters(), result.gradients(), 0, 1);
                }
                if (i < 2) { // the momentum of step 0 stays, so step 1 may still add blocks
                    live = device.describe().poolLiveBytes();
                    reserved = device.describe().poolReservedBytes();
                }
                assertThat(device.describe().poolLiveBytes())
                        .as("live after step %d", i)
                        .isEqualTo(live);
                assertThat(device.describe().poolReservedBytes())
                        .as("pool after step %d", i)
                        .isEqualTo(reserved);
            }
        }
    }

    private static void assertSameBits(float[] expected, float[] found, String name, int step) {
        assertThat(Arrays.mismatch(expected, found))
                .as("first element of %s that differs in step %d", name, step)
                .isEqualTo(-1);
    }

    /**
     * Real steps: the loss falls by lr |g|^2 to first order, and at every new point a central difference of the loss along
     * g is |g|^2. Both hold only if forward, backward and optimizer agree in value, not just in direction.
     */
    @TestFactory
    Stream<DynamicTest> everyStepFollowsTheGradient() {
        return GoldenStep.tests(c -> Devices.each(device -> descend(c.on(device.name()), device)));
    }

    private static void descend(GoldenCase golden, Device device) {
        try (Scope model = device.scope()) {
            GoldenStep step = new GoldenStep(golden, model);
            Optimizer optimizer = new Sgd(PLAIN_SGD);
            for (int i = 0; i < STEPS; i++) {
                try (Scope scope = device.scope()) {
                    GoldenStep.Result result = step.run(scope);
                    double norm = GradientNorm.of(step.parameters(), result.gradients())
                            .value();
                    double lr = FALL / (norm * norm);
                    double before = step.loss();
                    assertThat(before)
                            .as("loss of step %d, by an inference tape", i)
                            .isEqualTo(result.loss().item());
                    assertThat(slope(step, result.gradients(), SLOPE_REACH * lr))
                            .as("slope along the gradient in step %d", i)
                            .isCloseTo(norm * norm, within(DIFFERENCE_TOLERANCE * norm * norm));
                    optimizer.step(step.parameters(), result.gradients(), lr, 1);
                    assertThat(before - step.loss())
                            .as("fall of the loss in step %d", i)
                            .isCloseTo(FALL, within(FIRST_ORDER_TOLERANCE * FALL));
                }
            }
        }
    }

    /** d loss / d t of parameters + t g at 0 by a central difference; the parameters are the same afterwards, bit by bit. */
    private static double slope(GoldenStep step, Gradients gradients, double t) {
        Parameters parameters = step.parameters();
        try (Scope scope = parameters.scope().device().scope()) {
            Map<String, Tensor> saved = new LinkedHashMap<>();
            parameters.byName().forEach((name, p) -> saved.put(name, p.copy(scope)));
            double[] losses = new double[2];
            for (int side = 0; side < 2; side++) {
                float move = (float) (side == 0 ? t : -t);
                parameters.tensors().forEach(p -> gradients.of(p).ifPresent(g -> p.addScaled(move, g)));
                losses[side] = step.loss();
                saved.forEach((name, p) -> parameters.get(name).setScaled(1, p));
            }
            return (losses[0] - losses[1]) / (2 * t);
        }
    }
}
