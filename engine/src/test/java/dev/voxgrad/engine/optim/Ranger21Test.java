package dev.voxgrad.engine.optim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.autograd.Gradients;
import dev.voxgrad.engine.autograd.Tape;
import dev.voxgrad.engine.nn.ParameterSpec;
import dev.voxgrad.engine.nn.Parameters;
import dev.voxgrad.engine.optim.Ranger21.Components;
import dev.voxgrad.engine.optim.Ranger21.DecayScope;
import dev.voxgrad.engine.optim.Ranger21.Settings;
import dev.voxgrad.engine.tensor.Device;
import dev.voxgrad.engine.tensor.Scope;
import dev.voxgrad.engine.tensor.Tensor;
import dev.voxgrad.golden.Devices;
import dev.voxgrad.golden.EachDevice;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class Ranger21Test {
    private static final TorchTensor PAIR = new TorchTensor(2);
    private static final TorchTensor ROWS = new TorchTensor(2, 3, 1, 1);

    /** Strong decays, everything on. */
    private static Settings strong() {
        return new Settings(
                0.9, 0.999, 1e-8, 0.1, new Components(0.01, 1e-3, true, true, true, 50, 0.02, 5, 0.5, DecayScope.ALL));
    }

    /**
     * Two elements are neither centred nor normalised, and this gradient is too short to be clipped. spread = sqrt((0.003^2 +
     * 0.004^2)/2) = 0.00353553; decay 1 - 0.1 * 0.001/spread = 0.97171573; the norm is 2.17282 then, norm loss 1 - 4e-5 (1 -
     * 1/2.17282) = 0.99997841; momentum 2 (1 - 0.81) g / sqrt(1.999^2 + 0.999^2); denominator log1p(exp(50 * 0.003))/50 = 0.0154191
     * and log1p(exp(50 * 0.004))/50 = 0.0159628; step 0.001/0.1.
     */
    private static final double[] PAIR_AFTER = {0.9713639070268166, -1.9438155964424455};

    @Test
    void firstStepOfReferenceMatchesHandComputation() {
        double spread = Math.sqrt((0.003 * 0.003 + 0.004 * 0.004) / 2);
        double decay = 1 - 0.1 * 0.001 / spread;
        double normLoss = 1 - 0.001 * 2 * 0.02 * (1 - 1 / (Math.sqrt(5) * decay));
        double noise = Math.sqrt(1.999 * 1.999 + 0.999 * 0.999);
        double[] byHand = new double[2];
        for (int i = 0; i < 2; i++) {
            double g = 0.003 + 0.001 * i;
            double denominator = Math.log(1 + Math.exp(50 * g)) / 50;
            byHand[i] = (1 - 3 * i) * decay * normLoss - 0.001 / 0.1 * (2 * 0.19 * g / noise) / denominator;
        }
        Ranger21Reference reference = new Ranger21Reference(strong()).with(PAIR, 1, -2);
        reference.step(List.of(new double[] {0.003, 0.004}), 0.001);
        assertThat(byHand).containsExactly(PAIR_AFTER, within(1e-8)); // without eps in the two norms
        assertThat(reference.x(0)).containsExactly(PAIR_AFTER, within(1e-15));
    }

    /**
     * Rows of norm 3 and 0.5. Row 0: limit 0.03, norm of the gradient 5, so g = (0.024, 0, -0.018), centred (0.022, -0.002, -0.02).
     * Row 1: limit 0.005, norm 0.0037417, not clipped, centred (-0.001, 0, 0.001). Standard deviation over all six sqrt(8.9e-4/5).
     */
    @Test
    void clippingCentringAndNormalisationMatchHandComputation() {
        double[] centred = {0.022, -0.002, -0.02, -0.001, 0, 0.001};
        double deviation = Math.sqrt(8.9e-4 / 5);
        double spread = Math.sqrt(5.0 / 6); // the mean of squares of six numbers with standard deviation 1
        double[] x = {1, 2, 2, 0, 0.3, -0.4};
        double[] byHand = new double[6];
        for (int i = 0; i < 6; i++) {
            double norm = i < 3 ? 3 : 0.5;
            double decay = 1 - 0.1 * 0.001 / spread;
            double normLoss = 1 - 0.001 * 2 * 0.02 * (1 - 1 / (norm * decay));
            double g = centred[i] / deviation;
            double denominator = 50 * Math.abs(g) > 20 ? Math.abs(g) : Math.log(1 + Math.exp(50 * Math.abs(g))) / 50;
            double noise = Math.sqrt(1.999 * 1.999 + 0.999 * 0.999);
            byHand[i] = x[i] * decay * normLoss - 0.001 / 0.1 * (2 * 0.19 * g / noise) / denominator;
        }
        Ranger21Reference reference = new Ranger21Reference(strong()).with(ROWS, x);
        reference.step(List.of(new double[] {4, 0, -3, 0.001, 0.002, 0.003}), 0.001);
        assertThat(reference.x(0)).containsExactly(byHand, within(1e-8)); // without 1e-8 beside the deviation
    }

    @EachDevice
    void firstStepMatchesHandComputation(String device) {
        try (var d = Devices.open(device);
                Scope scope = d.scope()) {
            Parameters p = parameters(scope, List.of(PAIR));
            p.get("0").set(new float[] {1, -2});
            Gradients gradients = gradients(scope, p, List.of(PAIR), List.of(new double[] {0.006, 0.008}));
            new Ranger21(strong()).step(p, gradients, 0.001, 0.5);
            assertThat(p.get("0").toArray())
                    .containsExactly(new float[] {(float) PAIR_AFTER[0], (float) PAIR_AFTER[1]}, within(2e-7f));
            assertThat(gradients.of(p.get("0")).orElseThrow().toArray())
                    .as("gradients stay as they are")
                    .containsExactly(0.006f, 0.008f);
        }
    }

    /** Every component on and off. */
    private enum Change {
        NONE(Components.DEFAULT, 1e-4),
        REFERENCE_SCOPE(c(0.01, true, true, true, 50, 0.1, 5, DecayScope.REFERENCE), 0.1),
        NO_CLIPPING(c(0, true, true, true, 50, 0.1, 5, DecayScope.ALL), 0.1),
        NO_CENTRING(c(0.01, false, true, true, 50, 0.1, 5, DecayScope.ALL), 0.1),
        NO_NORMALISATION(c(0.01, true, false, true, 50, 0.1, 5, DecayScope.ALL), 0.1),
        PLAIN_MOMENTUM(c(0.01, true, true, false, 50, 0.1, 5, DecayScope.ALL), 0.1),
        NO_SOFTPLUS(c(0.01, true, true, true, 0, 0.1, 5, DecayScope.ALL), 0.1),
        NO_NORM_LOSS(c(0.01, true, true, true, 50, 0, 5, DecayScope.ALL), 0.1),
        NO_DECAY(c(0.01, true, true, true, 50, 0.1, 5, DecayScope.ALL), 0),
        NO_LOOKAHEAD(c(0.01, true, true, true, 50, 0.1, 0, DecayScope.ALL), 0.1),
        LOOKAHEAD_EVERY_STEP(c(0.01, true, true, true, 50, 0.1, 1, DecayScope.ALL), 0.1);

        final Settings settings;

        Change(Components components, double decay) {
            this.settings = new Settings(0.9, 0.999, 1e-8, decay, components);
        }

        private static Components c(
                double clip,
                boolean centralize,
                boolean normalize,
                boolean positiveNegative,
                double softplus,
                double normLoss,
                int lookahead,
                DecayScope scope) {
            double alpha = lookahead > 0 ? 0.3 : 0.5;
            return new Components(
                    clip, 1e-3, centralize, normalize, positiveNegative, softplus, normLoss, lookahead, alpha, scope);
        }
    }

    /** The kernel follows the float64 reference over twelve steps; resuming in the middle changes no bit. */
    @ParameterizedTest
    @EnumSource(Change.class)
    void followsTheReference(Change change) throws Exception {
        List<TorchTensor> tensors = List.of(
                new TorchTensor(5, 3, 3, 3, 1),
                new TorchTensor(4),
                new TorchTensor(3, 4, 2, 2, 2),
                new TorchTensor(7),
                new TorchTensor(1),
                new TorchTensor(2, 9, 1, 1, 1));
        Ranger21Reference reference = new Ranger21Reference(change.settings);
        Random random = new Random(7);
        List<double[]> start =
                tensors.stream().map(t -> floats(random, t.elements())).toList();
        for (int i = 0; i < tensors.size(); i++) {
            reference.with(tensors.get(i), start.get(i));
        }
        List<List<double[]>> gradients = new ArrayList<>();
        List<double[]> expected = new ArrayList<>();
        for (int t = 0; t < 12; t++) {
            gradients.add(
                    tensors.stream().map(s -> floats(random, s.elements())).toList());
            reference.step(gradients.get(t), 0.01);
            for (int i = 0; i < tensors.size(); i++) {
                expected.add(reference.x(i).clone());
            }
        }
        Devices.each(device -> {
            List<float[]> whole = run(device, change.settings, tensors, start, gradients, false);
            List<float[]> resumed = run(device, change.settings, tensors, start, gradients, true);
            for (int i = 0; i < whole.size(); i++) {
                assertThat(resumed.get(i)).isEqualTo(whole.get(i));
                double[] found = tensors.get(i % tensors.size()).toTorch(whole.get(i));
                assertThat(found)
                        .as("step %d tensor %d", i / tensors.size(), i % tensors.size())
                        .containsExactly(expected.get(i), within(4e-6));
            }
        });
    }

    private static List<float[]> run(
            Device device,
            Settings settings,
            List<TorchTensor> tensors,
            List<double[]> start,
            List<List<double[]>> gradients,
            boolean resume) {
        List<float[]> path = new ArrayList<>();
        try (Scope scope = device.scope()) {
            Parameters p = parameters(scope, tensors);
            for (int i = 0; i < start.size(); i++) {
                p.get("" + i).set(tensors.get(i).toMemory(start.get(i)));
            }
            Ranger21 optimizer = new Ranger21(settings);
            for (int t = 0; t < gradients.size(); t++) {
                if (resume && t == 7) {
                    Ranger21 next = new Ranger21(settings);
                    var saved = optimizer.state().tensors(p);
                    next.state()
                            .tensors(p)
                            .forEach((name, s) -> s.set(saved.get(name).toArray()));
                    next.state().resume(optimizer.state().steps());
                    optimizer = next;
                }
                optimizer.step(p, gradients(scope, p, tensors, gradients.get(t)), 0.01, 1);
                p.tensors().forEach(x -> path.add(x.toArray()));
            }
        }
        return path;
    }

    private static double[] floats(Random random, int count) {
        double[] values = new double[count];
        for (int i = 0; i < count; i++) {
            values[i] = random.nextFloat() - 0.5f;
        }
        return values;
    }

    @EachDevice
    void stateHoldsWhatTheComponentsNeed(String device) {
        try (var d = Devices.open(device);
                Scope scope = d.scope()) {
            Parameters p = parameters(scope, List.of(PAIR));
            p.get("0").set(new float[] {1, -2});
            var state = new Ranger21(Settings.DEFAULT).state().tensors(p);
            assertThat(state).containsOnlyKeys("odd_momentum.0", "even_momentum.0", "second_moment.0", "slow_weight.0");
            assertThat(state.get("slow_weight.0").toArray()).containsExactly(1, -2);
            assertThat(state.get("odd_momentum.0").toArray()).containsOnly(0);
            Settings bare = new Settings(
                    0.9, 0.999, 1e-8, 0, new Components(0, 1e-3, false, false, false, 0, 0, 0, 0.5, DecayScope.ALL));
            assertThat(new Ranger21(bare).state().tensors(p)).containsOnlyKeys("odd_momentum.0", "second_moment.0");
        }
    }

    @Test
    void wrongSettingsAreErrors() {
        assertThatThrownBy(() -> new Components(-1, 1e-3, true, true, true, 50, 0, 5, 0.5, DecayScope.ALL))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("ranger21.clip is -1.0; use 0 (off)");
        assertThatThrownBy(() -> new Components(0, 1e-3, true, true, true, 50, 0, 5, 1.5, DecayScope.ALL))
                .hasMessageContaining("lookaheadAlpha is 1.5");
        assertThatThrownBy(() -> new Components(0, 1e-2, true, true, true, 50, 0, 5, 0.5, DecayScope.ALL))
                .hasMessageContaining("ranger21.clipEps is 0.01; use it with a clip above 0");
        assertThatThrownBy(() -> new Components(0, 1e-3, true, true, true, 50, 0, 0, 0.3, DecayScope.ALL))
                .hasMessageContaining("ranger21.lookaheadAlpha is 0.3; use it with lookaheadSteps above 0");
        assertThatThrownBy(() -> new Settings(1, 0.999, 1e-8, 0, Components.DEFAULT))
                .hasMessageContaining("ranger21: beta1 1.0");
    }

    private static Parameters parameters(Scope scope, List<TorchTensor> tensors) {
        List<ParameterSpec> specs = new ArrayList<>();
        for (int i = 0; i < tensors.size(); i++) {
            specs.add(tensors.get(i).spec("" + i));
        }
        return new Parameters(scope, 3, specs);
    }

    private static Gradients gradients(Scope scope, Parameters p, List<TorchTensor> tensors, List<double[]> values) {
        List<Tensor> leaves = List.copyOf(p.tensors());
        List<Tensor> upstream = new ArrayList<>();
        for (int i = 0; i < leaves.size(); i++) {
            upstream.add(scope.tensor(leaves.get(i).shape(), tensors.get(i).toMemory(values.get(i))));
        }
        return Tape.training(scope, leaves).backward(leaves, upstream);
    }
}
