package dev.voxgrad.engine.profile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.voxgrad.engine.profile.Profile.By;
import dev.voxgrad.engine.profile.Recording.Activity;
import dev.voxgrad.engine.profile.Recording.Call;
import dev.voxgrad.engine.tensor.Device;
import dev.voxgrad.engine.tensor.Profiler.Phase;
import dev.voxgrad.engine.tensor.Shape;
import dev.voxgrad.engine.tensor.Work;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ProfileTest {
    /** 100 GFLOP/s and 10 GB/s: the roofs meet at 10 operations per byte. */
    private static final Ceilings CEILINGS = new Ceilings(100e9, 10e9);

    private static Call call(int step, Phase phase, String layer, String kernel, long flops, long bytes, long ns) {
        return new Call(step, phase, layer, new Work(kernel, flops, bytes, Shape.scalar(), Shape.scalar()), 0, ns, 7);
    }

    private static Profile profile() {
        return new Profile(
                List.of(
                        call(0, Phase.FORWARD, "a", "conv", 100_000_000, 1_000_000, 2_000_000),
                        call(0, Phase.FORWARD, "b", "conv", 100_000_000, 1_000_000, 500_000),
                        call(0, Phase.BACKWARD, "a", "norm", 1_000_000, 10_000_000, 4_000_000),
                        call(1, Phase.FORWARD, "a", "conv", 100_000_000, 1_000_000, 6_000_000),
                        call(2, Phase.FORWARD, "a", "conv", 100_000_000, 1_000_000, 4_000_000)),
                Map.of(new Activity(Phase.DATA, "wait"), 3_000_000L, new Activity(Phase.DATA, "read"), 500_000L),
                20_000_000,
                List.of(9_000_000L, 7_000_000L, 3_000_000L),
                CEILINGS);
    }

    @ParameterizedTest
    @EnumSource(By.class)
    void rowsAddUpToTheWholeTime(By by) {
        assertThat(profile().rows(by).stream().mapToDouble(Row::share).sum()).isCloseTo(1, within(1e-12));
        assertThat(profile().rows(by).stream().mapToDouble(Row::totalMs).sum()).isCloseTo(20, within(1e-9));
        assertThat(profile().phases().values().stream().mapToLong(ns -> ns).sum())
                .isEqualTo(20_000_000);
    }

    @Test
    void ratesFollowFromTotalsAndTheRoofAbove() {
        Row conv = profile().rows(By.LAYER_OP).getFirst();
        assertThat(conv.layer() + " " + conv.op()).isEqualTo("a conv");
        assertThat(conv.calls()).isEqualTo(3);
        assertThat(conv.totalMs()).isEqualTo(12);
        assertThat(conv.medianMs()).isEqualTo(4);
        assertThat(conv.gflops()).isCloseTo(25, within(1e-9)); // 0.3 GFLOP in 12 ms
        assertThat(conv.gbytesPerSecond()).isCloseTo(0.25, within(1e-9));
        assertThat(conv.intensity()).isEqualTo(100);
        assertThat(conv.roofline()).isCloseTo(0.25, within(1e-12));
        assertThat(conv.bound()).isEqualTo("compute");
        Row norm = profile().rows(By.LAYER_OP).get(1);
        assertThat(norm.op()).isEqualTo("norm");
        assertThat(norm.roofline()).isCloseTo(0.25, within(1e-12)); // 10 MB need 1 ms, took 4
        assertThat(norm.bound()).isEqualTo("memory");
    }

    @Test
    void fewerOperationsThanCountedGoAboveTheRoof() {
        Row winograd = profile().rows(By.LAYER_OP).stream()
                .filter(r -> r.layer().equals("b"))
                .findFirst()
                .orElseThrow();
        assertThat(winograd.gflops()).isCloseTo(200, within(1e-9));
        assertThat(winograd.roofline()).isCloseTo(2, within(1e-12));
    }

    @Test
    void groupsAreByOpOrByLayer() {
        assertThat(profile().rows(By.OP)).extracting(Row::op).containsExactly("conv", "norm", "wait", "read");
        assertThat(profile().rows(By.LAYER).stream().filter(r -> !r.host()))
                .extracting(r -> r.phaseName() + " " + r.layer())
                .containsExactly("forward a", "backward a", "forward b");
    }

    @Test
    void medianStepIsAnOrdinaryOne() {
        assertThat(profile().medianStep()).isEqualTo(1);
        assertThat(profile().stepMs()).isEqualTo(7);
    }

    @Test
    void ceilingsOfThisMachineArePositive() {
        try (Device device = Device.cpu(1)) {
            Ceilings measured = Ceilings.measure(device);
            assertThat(measured.flopsPerSecond()).isBetween(1e8, 1e13);
            assertThat(measured.bytesPerSecond()).isBetween(1e8, 1e13);
        }
        assertThat(new Ceilings(2, 3).best(new Ceilings(1, 4))).isEqualTo(new Ceilings(2, 4));
        assertThatThrownBy(() -> new Ceilings(0, 1)).isInstanceOf(IllegalArgumentException.class);
    }
}
