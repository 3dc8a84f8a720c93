package dev.voxgrad.engine.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.voxgrad.bindings.NativeException;
import dev.voxgrad.engine.autograd.Gradients;
import dev.voxgrad.engine.autograd.Tape;
import dev.voxgrad.engine.nn.DeepSupervision;
import dev.voxgrad.engine.nn.Initializer;
import dev.voxgrad.engine.nn.Module;
import dev.voxgrad.engine.nn.Networks;
import dev.voxgrad.engine.nn.StateTensor;
import dev.voxgrad.engine.optim.Sgd;
import dev.voxgrad.engine.plan.Plan;
import dev.voxgrad.engine.tensor.Device;
import dev.voxgrad.engine.tensor.Scope;
import dev.voxgrad.engine.tensor.Shape;
import dev.voxgrad.engine.tensor.Tensor;
import dev.voxgrad.golden.Devices;
import dev.voxgrad.golden.EachDevice;
import java.nio.FloatBuffer;
import java.util.List;
import java.util.Random;
import java.util.function.Function;

/** Memory of a step that is repeated comes from a plan; only speed and size may notice. */
class StepArenaTest {
    private static final Shape PATCH = new Shape(2, 16, 16, 24, 1);
    private static final Shape LARGER = new Shape(2, 32, 32, 48, 1);
    private static final Shape SMALLER = new Shape(1, 8, 16, 16, 1);

    @EachDevice
    void stepsInTheArenaGiveTheBitsOfStepsOutside(String name) {
        List<Shape> same = List.of(PATCH, PATCH, PATCH, PATCH);
        assertThat(weightsAfter(name, same, d -> d.step(0))).isEqualTo(weightsAfter(name, same, Device::scope));
    }

    @EachDevice
    void otherPatchesInBetweenGiveTheSameBits(String name) {
        List<Shape> mixed = List.of(PATCH, PATCH, SMALLER, PATCH, SMALLER, SMALLER, PATCH);
        assertThat(weightsAfter(name, mixed, d -> d.step(0))).isEqualTo(weightsAfter(name, mixed, Device::scope));
    }

    @EachDevice
    void laterStepsAskTheSystemForNothing(String name) {
        try (Device device = Devices.open(name);
                Scope model = device.scope()) {
            Module network = network(model);
            Sgd optimizer = optimizer();
            for (int i = 0; i < 2; i++) { // the momenta of the first step stay, small blocks that were free before
                step(device, d -> d.step(0), network, optimizer, LARGER, i);
            }
            var first = device.describe();
            for (int i = 2; i < 6; i++) {
                step(device, d -> d.step(0), network, optimizer, LARGER, i);
            }
            var last = device.describe();
            assertThat(last.systemAllocations()).isEqualTo(first.systemAllocations());
            assertThat(last.poolReservedBytes()).isEqualTo(first.poolReservedBytes());
            // Hardly more than what is live at the fullest moment.
            assertThat((double) last.poolReservedBytes()).isLessThan(1.05 * last.poolPeakBytes());
        }
    }

    @EachDevice
    void aFailedStepIsForgotten(String name) {
        try (Device device = Devices.open(name);
                Scope model = device.scope()) {
            Module network = network(model);
            Sgd optimizer = optimizer();
            step(device, d -> d.step(0), network, optimizer, PATCH, 0);
            long live = device.describe().poolLiveBytes();
            assertThatThrownBy(() -> {
                        try (Scope scope = device.step(0)) {
                            scope.tensor(PATCH);
                            scope.tensor(new Shape(1 << 20, 1 << 10, 1 << 10, 1 << 10, 1));
                        }
                    })
                    .isInstanceOf(NativeException.class);
            assertThat(device.describe().poolLiveBytes()).isEqualTo(live);
            step(device, d -> d.step(0), network, optimizer, PATCH, 1);
        }
    }

    /** Activations go as soon as the backward pass is past them. */
    @EachDevice
    void backwardFreesWhatTheNetworkIsDoneWith(String name) {
        try (Device device = Devices.open(name);
                Scope model = device.scope();
                Scope scope = device.scope()) {
            Module network = network(model);
            Tape tape = Tape.training(scope, network.parameters().tensors());
            Tensor value = loss(tape, network, scope.tensor(PATCH, values(PATCH, 1)), PATCH);
            long before = device.describe().poolLiveBytes();
            Gradients gradients = tape.backward(value);
            assertThat(gradients.of(network.parameters().tensors().iterator().next()))
                    .isPresent();
            // What is left: weights and their gradients, the image, labels, and the buffers of skip connections.
            assertThat(device.describe().poolLiveBytes()).isLessThan(before / 2);
            assertThat(Float.isFinite(value.item())).isTrue();
        }
    }

    private static List<FloatBuffer> weightsAfter(String name, List<Shape> patches, Function<Device, Scope> open) {
        try (Device device = Devices.open(name);
                Scope model = device.scope()) {
            Module network = network(model);
            Sgd optimizer = optimizer();
            for (int i = 0; i < patches.size(); i++) {
                step(device, open, network, optimizer, patches.get(i), i);
            }
            return network.parameters().export().values().stream()
                    .map(StateTensor::values)
                    .map(FloatBuffer::wrap)
                    .toList();
        }
    }

    private static void step(
            Device device, Function<Device, Scope> open, Module network, Sgd optimizer, Shape patch, long seed) {
        try (Scope scope = open.apply(device)) {
            Tape tape = Tape.training(scope, network.parameters().tensors(), seed);
            Tensor value = loss(tape, network, scope.tensor(patch, values(patch, seed)), patch);
            optimizer.step(network.parameters(), tape.backward(value), 0.01, 1);
        }
    }

    private static Tensor loss(Tape tape, Module network, Tensor x, Shape patch) {
        byte[] labels = new byte[(int) patch.elements()];
        new Random(patch.elements()).nextBytes(labels);
        for (int i = 0; i < labels.length; i++) {
            labels[i] = (byte) Math.floorMod(labels[i], TinyTraining.CLASSES);
        }
        return DeepSupervision.of(2)
                .apply(
                        tape,
                        TinyTraining.LOSS,
                        network.forward(tape, x),
                        tape.scope().labels(patch.withChannels(1), labels));
    }

    private static float[] values(Shape patch, long seed) {
        float[] values = new float[(int) patch.elements()];
        Random random = new Random(seed);
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }

    private static Module network(Scope scope) {
        Plan plan = TinyTraining.plan(2, "sgd");
        Module network = Networks.create(plan.network(), scope);
        network.parameters().initialize(Initializer.HE_LEAKY, 1);
        return network;
    }

    private static Sgd optimizer() {
        return new Sgd(Sgd.Settings.NNUNET);
    }
}
