package dev.voxgrad.engine.optim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.within;

import dev.voxgrad.engine.autograd.Gradients;
import dev.voxgrad.engine.autograd.Tape;
import dev.voxgrad.engine.nn.ParameterSpec;
import dev.voxgrad.engine.nn.Parameters;
import dev.voxgrad.engine.tensor.Scope;
import dev.voxgrad.engine.tensor.Shape;
import dev.voxgrad.engine.tensor.Tensor;
import dev.voxgrad.golden.Devices;
import dev.voxgrad.golden.EachDevice;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class OptimizerTest {
    /** Two parameters a = (1, -2) and b = (3). */
    private static Parameters parameters(Scope scope) {
        Parameters p = new Parameters(
                scope,
                3,
                List.of(
                        new ParameterSpec("a", ParameterSpec.Role.BIAS, Shape.vector(2), 1),
                        new ParameterSpec("b", ParameterSpec.Role.BIAS, Shape.vector(1), 1)));
        p.get("a").set(new float[] {1, -2});
        p.get("b").set(new float[] {3});
        return p;
    }

    /** Gradients of the named parameters only. */
    private static Gradients gradients(Scope scope, Parameters p, String name, float... values) {
        Tensor leaf = p.get(name);
        List<Tensor> upstream = new ArrayList<>(List.of(scope.tensor(leaf.shape(), values)));
        return Tape.training(scope, p.tensors()).backward(List.of(leaf), upstream);
    }

    @EachDevice
    void sgdFirstStepAndSecondStepMatchHandComputation(String device) {
        try (var d = Devices.open(device);
                Scope scope = d.scope()) {
            Parameters p = parameters(scope);
            Sgd sgd = new Sgd(new Sgd.Settings(0.5, true, 0, 0.1));
            sgd.step(p, gradients(scope, p, "a", 4, 8), 0.1, 0.5);
            // g = 2 + 0.1 * 1 = 2.1, x = 1 - 0.1 * (2.1 + 0.5 * 2.1); g = 4 - 0.2 = 3.8, x = -2 - 0.1 * 5.7
            assertThat(p.get("a").toArray()).containsExactly(new float[] {0.685f, -2.57f}, within(1e-6f));
            assertThat(p.get("b").toArray()).as("no gradient, no decay").containsExactly(3);
            sgd.step(p, gradients(scope, p, "a", 0, 0), 0.1, 1);
            // g = 0.0685, v = 0.5 * 2.1 + 0.0685 = 1.1185, x = 0.685 - 0.1 * (0.0685 + 0.5 * 1.1185)
            assertThat(p.get("a").toArray()[0]).isCloseTo(0.622225f, within(1e-6f));
            assertThat(sgd.state().steps()).isEqualTo(2);
        }
    }

    @EachDevice
    void plainAndHeavyBallDescentMatchHandComputation(String device) {
        try (var d = Devices.open(device);
                Scope scope = d.scope()) {
            Parameters p = parameters(scope);
            Sgd plain = new Sgd(new Sgd.Settings(0, false, 0, 0.1));
            plain.step(p, gradients(scope, p, "a", 4, 8), 0.1, 1);
            // x - 0.1 (g + 0.1 x)
            assertThat(p.get("a").toArray()).containsExactly(new float[] {0.59f, -2.78f}, within(1e-6f));
            assertThat(plain.state().tensors(p)).as("no momentum, no state").isEmpty();
            Sgd heavy = new Sgd(new Sgd.Settings(0.5, false, 0.25, 0));
            heavy.step(p, gradients(scope, p, "b", 2), 0.1, 1);
            assertThat(p.get("b").item()).as("v = g in the first step").isCloseTo(2.8f, within(1e-6f));
            heavy.step(p, gradients(scope, p, "b", 4), 0.1, 1);
            assertThat(p.get("b").item()).as("v = 0.5 * 2 + 0.75 * 4").isCloseTo(2.4f, within(1e-6f));
        }
    }

    @EachDevice
    void adamAddsTheDecayToTheGradient(String device) {
        try (var d = Devices.open(device);
                Scope scope = d.scope()) {
            Parameters p = parameters(scope);
            AdamW adam = new AdamW(new AdamW.Settings(0.9, 0.999, 1e-8, 0.5, false, false));
            // g + 0.5 x = (0, 2): no step where the decay cancels the gradient, else lr against the sum's sign.
            adam.step(p, gradients(scope, p, "a", -0.5f, 3), 0.1, 1);
            assertThat(p.get("a").toArray()).containsExactly(new float[] {1, -2.1f}, within(1e-6f));
        }
    }

    @EachDevice
    void amsgradRemembersTheLargestSecondMoment(String device) {
        try (var d = Devices.open(device);
                Scope scope = d.scope()) {
            Parameters p = parameters(scope);
            AdamW adam = new AdamW(new AdamW.Settings(0, 0.5, 1e-8, 0, true, true));
            adam.step(p, gradients(scope, p, "b", 4), 0.1, 1);
            adam.step(p, gradients(scope, p, "b", 1), 0.1, 1);
            // s = 8, then 0.5 * 8 + 0.5 = 4.5 < 8: the second step divides by sqrt(8 / (1 - 0.25)).
            assertThat(p.get("b").item()).isCloseTo((float) (3 - 0.1 - 0.1 / Math.sqrt(8 / 0.75)), within(1e-6f));
        }
    }

    @EachDevice
    void adamWFirstStepMatchesHandComputation(String device) {
        try (var d = Devices.open(device);
                Scope scope = d.scope()) {
            Parameters p = parameters(scope);
            new AdamW(AdamW.Settings.DEFAULT).step(p, gradients(scope, p, "a", 0.5f, -3), 0.1, 1);
            // The first update is lr * sign(g); decay 0.1 * 0.01 * x before it.
            assertThat(p.get("a").toArray())
                    .containsExactly(new float[] {0.999f - 0.1f, -1.998f + 0.1f}, within(1e-6f));
            assertThat(p.get("b").toArray()).containsExactly(3);
        }
    }

    @EachDevice
    void stateIsNamedByParameterAndStartsAtZero(String device) {
        try (var d = Devices.open(device);
                Scope scope = d.scope()) {
            Parameters p = parameters(scope);
            assertThat(new Sgd(Sgd.Settings.NNUNET).state().tensors(p)).containsOnlyKeys("momentum.a", "momentum.b");
            assertThat(new AdamW(new AdamW.Settings(0.9, 0.999, 1e-8, 3e-5, true, true))
                            .state()
                            .tensors(p))
                    .hasSize(6);
            new AdamW(AdamW.Settings.DEFAULT)
                    .state()
                    .tensors(p)
                    .values()
                    .forEach(t -> assertThat(t.toArray()).containsOnly(0));
        }
    }

    @EachDevice
    void normOfGradientWithNanIsNotFinite(String device) {
        try (var d = Devices.open(device);
                Scope scope = d.scope()) {
            Parameters p = parameters(scope);
            GradientNorm norm = GradientNorm.of(p, gradients(scope, p, "a", 1, Float.NaN));
            assertThat(norm.finite()).isFalse();
            assertThatIllegalStateException().isThrownBy(() -> norm.clipFactor(12));
            assertThat(GradientNorm.of(p, gradients(scope, p, "a", 3, 4)).value())
                    .isEqualTo(5);
        }
    }

    @Test
    void lastEpochOfPolyIsSmallAndPositive() {
        Schedule poly = new Schedule.Poly(0.01, 0.9);
        assertThat(poly.rate(0, 1000)).isEqualTo(0.01);
        assertThat(poly.rate(999, 1000)).isCloseTo(0.01 * Math.pow(0.001, 0.9), within(1e-15));
    }
}
