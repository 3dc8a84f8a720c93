package dev.voxgrad.losses;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.DataException;
import dev.voxgrad.engine.op.Regions;
import dev.voxgrad.engine.op.SegLoss.Nonlinearity;
import dev.voxgrad.engine.tensor.Device;
import dev.voxgrad.engine.tensor.Scope;
import dev.voxgrad.engine.tensor.Shape;
import dev.voxgrad.golden.Devices;
import dev.voxgrad.golden.EachDevice;
import java.util.List;
import java.util.OptionalInt;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Class labels as targets of sigmoid losses. */
class RegionsTest {
    private static final Regions TUMOUR = new Regions(List.of(Set.of(1, 2, 3), Set.of(2, 3), Set.of(3)));

    @EachDevice
    void labelsBecomeTargetsAndAMask(String name) {
        try (Device device = Devices.open(name);
                Scope scope = device.scope()) {
            Shape shape = new Shape(1, 1, 1, 5, 1);
            RegionTargets split =
                    RegionTargets.of(TUMOUR, scope, scope.labels(shape, new byte[] {0, 1, 2, 3, 4}), OptionalInt.of(4));
            assertThat(split.targets().toArray())
                    .containsExactly(new byte[] {0, 0, 0, 1, 0, 0, 1, 1, 0, 1, 1, 1, 0, 0, 0});
            assertThat(split.mask().orElseThrow().toArray()).containsExactly(new byte[] {1, 1, 1, 1, 0});
            RegionTargets whole =
                    RegionTargets.of(TUMOUR, scope, scope.labels(shape, new byte[] {0, 1, 2, 3, 3}), OptionalInt.of(4));
            assertThat(whole.mask()).isEmpty();
        }
    }

    @EachDevice
    void lossOfClassLabelsIsTheLossOfTheirTargets(String name) {
        Random random = new Random(4716);
        Shape shape = new Shape(2, 2, 3, 5, 3);
        Batch classes = Batch.random(random, new Shape(2, 2, 3, 5, 4), 1, Nonlinearity.SOFTMAX);
        float[] logits = Batch.random(random, shape, 2, Nonlinearity.SIGMOID).logits();
        byte[] targets = new byte[180];
        byte[] mask = new byte[60];
        byte[] labels = classes.labels().clone();
        labels[7] = 9;
        for (int v = 0; v < 60; v++) {
            mask[v] = (byte) (labels[v] == 9 ? 0 : 1);
            for (int c = 0; c < 3; c++) {
                targets[3 * v + c] = (byte) (labels[v] > c && labels[v] != 9 ? 1 : 0);
            }
        }
        try (Device device = Devices.open(name)) {
            LossContext context = LossContext.of(3).withRegions(TUMOUR);
            SegmentationLoss fromTargets = (SegmentationLoss) Losses.parse("dice + bce", context);
            SegmentationLoss fromLabels =
                    (SegmentationLoss) Losses.parse("dice + bce", context.withIgnoreLabel(OptionalInt.of(9)));
            Batch known = new Batch(shape, logits, targets).withMask(mask);
            Batch given = new Batch(shape, logits, labels);
            assertThat(given.value(device, fromLabels)).isEqualTo(known.value(device, fromTargets));
            assertThat(given.gradient(device, fromLabels)).isEqualTo(known.gradient(device, fromTargets));

            mask[20] = 0; // the caller's mask and the ignore label go together
            Batch both = new Batch(shape, logits, labels).withMask(mask);
            assertThat(both.value(device, fromLabels))
                    .isEqualTo(known.withMask(mask).value(device, fromTargets));
        }
    }

    /** More voxels than a block of the split has, in a number that leaves a rest. */
    @EachDevice
    void manyVoxelsAreSplitOneByOne(String name) {
        Shape shape = new Shape(2, 27, 31, 29, 1);
        byte[] labels = new byte[(int) shape.elements()];
        new Random(4717).nextBytes(labels);
        for (int v = 0; v < labels.length; v++) {
            labels[v] = (byte) ((labels[v] & 3) == 3 && v % 5 == 0 ? 255 : labels[v] & 3);
        }
        try (Device device = Devices.open(name);
                Scope scope = device.scope()) {
            RegionTargets split = RegionTargets.of(TUMOUR, scope, scope.labels(shape, labels), OptionalInt.of(255));
            byte[] targets = split.targets().toArray();
            byte[] mask = split.mask().orElseThrow().toArray();
            for (int v = 0; v < labels.length; v++) {
                assertThat(mask[v]).isEqualTo((byte) (labels[v] == -1 ? 0 : 1));
                for (int c = 0; c < 3; c++) {
                    assertThat(targets[3 * v + c]).isEqualTo((byte) (labels[v] > c ? 1 : 0));
                }
            }
        }
    }

    @Test
    void aLabelOfNoRegionIsNamed() {
        byte[] labels = new byte[40_000];
        labels[30_000] = (byte) 200;
        try (Device device = Device.cpu(2);
                Scope scope = device.scope()) {
            Shape shape = new Shape(1, 1, 200, 200, 1);
            assertThatThrownBy(() -> RegionTargets.of(TUMOUR, scope, scope.labels(shape, labels), OptionalInt.empty()))
                    .isInstanceOf(DataException.class)
                    .hasMessageContaining("1 voxel has a label that is not one of 0 to 3: 200");
            labels[39_999] = 7;
            assertThatThrownBy(() -> RegionTargets.of(TUMOUR, scope, scope.labels(shape, labels), OptionalInt.of(9)))
                    .isInstanceOf(DataException.class)
                    .hasMessageContaining("2 voxels have a label that is neither 0 to 3 nor the ignore label 9")
                    .hasMessageContaining("the first one is 200");
        }
    }

    @Test
    void channelsAreForegroundLabelsOrAllClasses() {
        assertThat(Regions.foreground(2).labels()).containsExactly(Set.of(1), Set.of(2));
        assertThat(Regions.classes(2).labels()).containsExactly(Set.of(0), Set.of(1));
    }

    @Test
    void regionsMustFit() {
        assertThatThrownBy(() -> new Regions(List.of(Set.of())))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("must have labels");
        assertThatThrownBy(() -> new Regions(List.of(Set.of(256)))).isInstanceOf(ConfigException.class);
        assertThatThrownBy(() -> Losses.parse("bce", LossContext.of(2).withRegions(TUMOUR)))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("2 channels")
                .hasMessageContaining("3 regions");
    }
}
