package dev.voxgrad.engine.profile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.voxgrad.engine.autograd.Gradients;
import dev.voxgrad.engine.autograd.Tape;
import dev.voxgrad.engine.nn.Module;
import dev.voxgrad.engine.nn.NetworkCost;
import dev.voxgrad.engine.nn.NetworkSpec;
import dev.voxgrad.engine.nn.Networks;
import dev.voxgrad.engine.profile.Recording.Call;
import dev.voxgrad.engine.tensor.Device;
import dev.voxgrad.engine.tensor.Profiler;
import dev.voxgrad.engine.tensor.Profiler.Phase;
import dev.voxgrad.engine.tensor.Scope;
import dev.voxgrad.engine.tensor.Shape;
import dev.voxgrad.engine.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class RecordingTest {
    private static NetworkSpec plain(int dim, boolean deepSupervision) {
        return Networks.plainUNet(
                2, 3, List.of(4, 8, 12), Networks.cubes(dim, 3, 3), Networks.halvings(dim, 3), deepSupervision);
    }

    private static Stream<Arguments> networks() {
        Shape cube = new Shape(2, 16, 12, 8, 2);
        return Stream.of(
                Arguments.of(plain(3, true), cube),
                Arguments.of(plain(3, false), cube),
                Arguments.of(plain(2, true), new Shape(3, 1, 24, 16, 2)),
                Arguments.of(
                        Networks.residualEncoderUNet(
                                2, 3, List.of(4, 8, 12), Networks.cubes(3, 3, 3), Networks.halvings(3, 3), true),
                        cube));
    }

    /** Records one forward and one backward pass. */
    private static Recording pass(Device device, NetworkSpec spec, Shape shape) {
        try (Scope scope = device.scope();
                Recording recording = Recording.start(device)) {
            Module network = Networks.create(spec, scope);
            network.parameters().initialize(spec.initializer(), 1);
            Tensor x = scope.zeros(shape);
            recording.restart();
            Tape tape = Tape.training(scope, network.parameters().tensors());
            List<Tensor> outputs = network.forward(tape, x);
            List<Tensor> upstream = new ArrayList<>();
            outputs.forEach(y -> upstream.add(scope.zeros(y.shape())));
            Gradients gradients = tape.backward(outputs, upstream);
            assertThat(network.parameters().tensors().stream()
                            .filter(p -> gradients.of(p).isPresent()))
                    .isNotEmpty();
            recording.stop();
            return recording;
        }
    }

    private static long flops(Recording recording, Predicate<Call> which) {
        return recording.calls().stream()
                .filter(c -> c.work().kernel().startsWith("conv"))
                .filter(which)
                .mapToLong(c -> c.work().flops())
                .sum();
    }

    @ParameterizedTest
    @MethodSource("networks")
    void convolutionsDoTheWorkThatTheNetworkCosts(NetworkSpec spec, Shape shape) {
        try (Device device = Device.cpu(1)) {
            Recording recording = pass(device, spec, shape);
            NetworkCost cost = NetworkCost.of(spec, shape);
            assertThat(flops(recording, c -> c.phase() == Phase.FORWARD)).isEqualTo(cost.forwardFlops());
            assertThat(flops(recording, c -> true)).isEqualTo(cost.trainingFlops());
        }
    }

    @ParameterizedTest
    @MethodSource("networks")
    void gradientsBelongToTheLayerOfTheirOp(NetworkSpec spec, Shape shape) {
        try (Device device = Device.cpu(1)) {
            Recording recording = pass(device, spec, shape);
            assertThat(layers(recording, Phase.BACKWARD, "_backward_weight"))
                    .isEqualTo(layers(recording, Phase.FORWARD, "_forward"))
                    .doesNotContain("");
            List<String> names = Networks.parameters(spec).stream()
                    .map(p -> p.name().replaceAll("\\.(weight|bias)$", ""))
                    .toList();
            assertThat(names).containsAll(layers(recording, Phase.FORWARD, ""));
        }
    }

    private static Set<String> layers(Recording recording, Phase phase, String ending) {
        return recording.calls().stream()
                .filter(c -> c.phase() == phase && c.work().kernel().matches("conv.*" + ending))
                .map(Call::layer)
                .collect(Collectors.toSet());
    }

    @Test
    void everyMomentBelongsToACallOrAnActivity() {
        try (Device device = Device.cpu(1)) {
            long start = System.nanoTime();
            Recording recording = pass(device, plain(3, true), new Shape(1, 8, 8, 8, 2));
            long elapsed = System.nanoTime() - start;
            long calls = recording.calls().stream().mapToLong(Call::ns).sum();
            long host = recording.hostNs().values().stream().mapToLong(ns -> ns).sum();
            assertThat(calls + host).isEqualTo(recording.wallNs()).isBetween(1L, elapsed);
            assertThat(recording.hostNs().keySet().stream().map(Recording.Activity::name))
                    .contains(Recording.OUTSIDE, Profiler.MEMORY);
            assertThat(recording.calls()).allSatisfy(c -> {
                assertThat(c.ns()).isPositive();
                assertThat(c.work().bytes()).isPositive();
                assertThat(c.work().kernel()).isNotEqualTo("unnamed");
                assertThat(c.liveBytes()).isPositive();
            });
        }
    }

    @Test
    void activitiesMayContainKernelsAndOtherActivities() {
        try (Device device = Device.cpu(1);
                Scope scope = device.scope();
                Recording recording = Recording.start(device)) {
            recording.phase(Phase.DATA, "case");
            try (Profiler.Span outer = device.profiler().span("read")) {
                scope.zeros(Shape.vector(8));
            }
            recording.endStep();
            scope.zeros(Shape.vector(8));
            recording.stop();
            assertThat(recording.hostNs().keySet())
                    .containsExactlyInAnyOrder(
                            new Recording.Activity(Phase.FORWARD, Recording.OUTSIDE),
                            new Recording.Activity(Phase.DATA, "read"),
                            new Recording.Activity(Phase.DATA, Profiler.MEMORY),
                            new Recording.Activity(Phase.DATA, Recording.OUTSIDE));
            assertThat(recording.calls()).extracting(Call::step).containsExactly(0, 1);
            assertThat(recording.calls()).extracting(c -> c.work().kernel()).containsOnly("fill");
            assertThat(recording.stepNs()).hasSize(1);
        }
    }

    @Test
    void nothingIsRecordedAfterTheEndAndOneRecordsAtATime() {
        try (Device device = Device.cpu(1);
                Scope scope = device.scope()) {
            Recording first = Recording.start(device);
            assertThatThrownBy(() -> Recording.start(device)).hasMessageContaining("being profiled already");
            first.stop();
            scope.zeros(Shape.vector(8));
            assertThat(first.calls()).isEmpty();
            assertThat(device.profiler()).isSameAs(Profiler.OFF);
        }
    }
}
