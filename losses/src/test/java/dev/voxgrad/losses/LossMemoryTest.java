package dev.voxgrad.losses;

import static org.assertj.core.api.Assertions.assertThat;

import dev.voxgrad.engine.autograd.Tape;
import dev.voxgrad.engine.op.Regions;
import dev.voxgrad.engine.op.SegLoss.Nonlinearity;
import dev.voxgrad.engine.tensor.Device;
import dev.voxgrad.engine.tensor.Labels;
import dev.voxgrad.engine.tensor.Scope;
import dev.voxgrad.engine.tensor.Shape;
import dev.voxgrad.engine.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whatever the loss, value and gradient take one float per voxel beside their inputs and the gradient. */
class LossMemoryTest {
    private static final Shape GRID = new Shape(2, 32, 32, 64, 1);
    private static final long VOXELS = GRID.elements();

    /** Tables by class, component or thread, and what rounding up to whole blocks of the pool adds. */
    private static final long TABLES = 96 << 10;

    private static final int IGNORED = 99;
    private static final int EDGE = 16;

    private static final List<String> SOFTMAX = List.of(
            "ce",
            "ce(weights=[%w], smoothing=0.1)",
            "wce(weights=[%w])",
            "dice",
            "dice(batch=false, background=true)",
            "monai_dice(squared=true, jaccard=true)",
            "gdl",
            "gdl(nnunet_v1=true)",
            "wdice(weights=[%w])",
            "tversky",
            "topk",
            "topk(0.2, weights=[%w], smoothing=0.1, per=sample)",
            "focal",
            "dice + ce",
            "dice + topk",
            "wce(weights=[%w]) + wdice(weights=[%w])",
            "wce(weights=[%w]) + gdl",
            "dice + topk(0.1) + topk(0.3) + focal");

    private static final List<String> SIGMOID = List.of(
            "bce",
            "dice(sigmoid=true)",
            "gdl(sigmoid=true)",
            "monai_dice(sigmoid=true, squared=true)",
            "tversky(sigmoid=true)",
            "dice + bce",
            "blob(dice + bce)",
            "blob(dice + bce, mask=exclude, connectivity=6) + blob(bce, connectivity=26) + dice");

    /** What the labels of a case are. */
    private enum Kind {
        CLASSES,
        /** Channel k is label k + 1. */
        FOREGROUND,
        /** Channel k is every label from k + 1 on, and some voxels do not count. */
        NESTED,
        TARGETS
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 4, 28})
    void softmaxTakesOneFloatPerVoxel(int classes) {
        String weights =
                IntStream.rangeClosed(1, classes).mapToObj(String::valueOf).collect(Collectors.joining(", "));
        for (String text : SOFTMAX) {
            check(text.replace("%w", weights), classes, Kind.CLASSES);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 4, 28})
    void sigmoidTakesOneFloatPerVoxel(int channels) {
        for (String text : SIGMOID) {
            for (Kind kind : List.of(Kind.FOREGROUND, Kind.NESTED, Kind.TARGETS)) {
                check(text, channels, kind);
            }
        }
    }

    private static void check(String text, int channels, Kind kind) {
        String name = String.format(Locale.ROOT, "%s, %d channels, labels %s", text, channels, kind);
        Shape shape = GRID.withChannels(channels);
        SegmentationLoss loss = loss(text, channels, kind);
        try (Device device = Device.cpu(2);
                Scope scope = device.scope()) {
            Tensor z = scope.tensor(shape);
            z.fill(0.25f);
            Labels labels = labels(scope, channels, kind);
            long inputs = device.describe().poolLiveBytes();
            Tape tape = Tape.training(scope, List.of(z));
            Tensor value = loss.apply(tape, z, labels, Optional.empty());
            long kept = device.describe().poolLiveBytes() - inputs;
            long reached = device.describe().poolPeakBytes() - inputs;
            tape.backward(value);
            long gradient = shape.elements() * Float.BYTES;
            long whole = device.describe().poolPeakBytes() - inputs;

            boolean numbers = text.matches(".*(topk|focal|blob).*");
            assertThat(kept).as("%s: between the passes", name).isLessThanOrEqualTo(numbers(numbers) + TABLES);
            // Partial sums of the blocks of a sample, which no pass keeps: a byte per voxel.
            assertThat(reached).as("%s: value", name).isLessThanOrEqualTo(numbers(numbers) + VOXELS + TABLES);
            assertThat(whole).as("%s: gradient", name).isGreaterThanOrEqualTo(gradient);
            assertThat(whole - gradient).as("%s: gradient", name).isLessThanOrEqualTo(Float.BYTES * VOXELS + TABLES);
        }
    }

    /** What stays between the passes for losses of voxels and components, and for no others. */
    private static long numbers(boolean some) {
        return some ? Float.BYTES * VOXELS : 0;
    }

    private static SegmentationLoss loss(String text, int channels, Kind kind) {
        LossContext context = LossContext.of(channels);
        if (kind == Kind.NESTED) {
            List<Set<Integer>> nested = new ArrayList<>();
            for (int first = 1; first <= channels; first++) {
                nested.add(IntStream.rangeClosed(first, channels).boxed().collect(Collectors.toSet()));
            }
            context = context.withRegions(new Regions(nested)).withIgnoreLabel(OptionalInt.of(IGNORED));
        }
        SegmentationLoss loss = (SegmentationLoss) Losses.parse(text, context);
        assertThat(loss.sum().nonlinearity())
                .isEqualTo(kind == Kind.CLASSES ? Nonlinearity.SOFTMAX : Nonlinearity.SIGMOID);
        return loss;
    }

    /** Cubes, so that there are components of more than a voxel. */
    private static Labels labels(Scope scope, int channels, Kind kind) {
        int width = kind == Kind.TARGETS ? channels : 1;
        int classes = kind == Kind.CLASSES ? channels : channels + 1;
        byte[] labels = new byte[(int) VOXELS * width];
        for (int voxel = 0; voxel < VOXELS; voxel++) {
            int cube = voxel / EDGE % 4 + 4 * (voxel / 64 / EDGE % 2) + 8 * (voxel / 2048 / EDGE);
            int label = cube * 5 % classes;
            if (kind == Kind.TARGETS) {
                for (int c = 0; c < channels; c++) {
                    labels[voxel * channels + c] = (byte) (label > c ? 1 : 0);
                }
            } else {
                labels[voxel] = (byte) (kind == Kind.NESTED && cube % 7 == 3 ? IGNORED : label);
            }
        }
        return scope.labels(GRID.withChannels(width), labels);
    }
}
