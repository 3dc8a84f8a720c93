package dev.voxgrad.engine.infer;

import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.DataException;
import dev.voxgrad.engine.ShapeException;
import dev.voxgrad.engine.autograd.Tape;
import dev.voxgrad.engine.nn.Module;
import dev.voxgrad.engine.op.Triple;
import dev.voxgrad.engine.tensor.Device;
import dev.voxgrad.engine.tensor.Profiler;
import dev.voxgrad.engine.tensor.Scope;
import dev.voxgrad.engine.tensor.Shape;
import dev.voxgrad.engine.tensor.Tensor;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.IntBinaryOperator;

/**
 * Predicts volumes of any size tile by tile. The logits of a voxel are the weighted mean over all tiles that cover it, all mirrored
 * passes and all models. Volumes smaller than a tile are padded, centred, the smaller half first; the padding is removed from the
 * result.
 *
 * <p>Only as many planes as a tile is deep are held: tiles come in the order of z, and a plane is final once no later tile reaches it.
 * Memory is therefore image + (classes + 1) x tile depth x height x width, whatever the length of the volume.
 *
 * @param tile sizes that the networks see
 * @param rule how tiles are placed
 * @param step of nnU-Net's rule: distance of two tiles, in tiles; of MONAI's rule: overlap of two tiles, in tiles
 * @param map weights of the voxels of a tile
 * @param mirrorAxes axes (0 = z) of which all subsets are mirrored; empty = one plain pass
 * @param padding of volumes smaller than a tile
 */
public record SlidingWindow(
        Triple tile, Rule rule, double step, ImportanceMap map, List<Integer> mirrorAxes, Padding padding) {
    /** Kinds of steps, see {@link Device#step}: one per model, and none of the trainer's. */
    private static final int FIRST_STEP = 16;

    /** Rules for the places of tiles. */
    public enum Rule {
        /** {@link WindowSteps#nnunet}. */
        NNUNET,
        /** {@link WindowSteps#monai}. */
        MONAI
    }

    /** What lies around a volume that is smaller than a tile. */
    public enum Padding {
        /** Zeros: the mean of a z-scored image. */
        ZERO,
        /** The nearest voxel of the volume. */
        EDGE
    }

    /** Told after each tile. */
    public interface Progress {
        /** With the number of tiles done and of all. */
        void tiles(int done, int total);
    }

    /** Checks the axes. */
    public SlidingWindow {
        if (!List.of(0, 1, 2).containsAll(mirrorAxes)) {
            throw new ConfigException("mirror axes are " + mirrorAxes + "; use 0 (z), 1 (y), 2 (x)");
        }
        mirrorAxes = mirrorAxes.stream().distinct().sorted().toList();
    }

    /** nnU-Net's prediction: step 0.5, Gaussian weights, zeros around small volumes. */
    public static SlidingWindow nnunet(Triple tile, List<Integer> mirrorAxes) {
        return new SlidingWindow(tile, Rule.NNUNET, 0.5, ImportanceMap.NNUNET_GAUSSIAN, mirrorAxes, Padding.ZERO);
    }

    /**
     * Predicts one volume.
     *
     * @param name of the case, for errors
     * @param models whose logits are averaged, all on one device; outputs [1, tile, classes]
     * @param image [z][y][x][channel]
     * @param size of the image
     * @param sink receives the mean logits plane by plane
     * @throws DataException when a result is not finite
     */
    public void predict(
            String name,
            Device device,
            List<Module> models,
            float[] image,
            Triple size,
            PlaneSink sink,
            Progress progress) {
        if (models.isEmpty()) {
            throw new ConfigException("no model to predict " + name + " with");
        }
        Frame frame = Frame.of(this, image, size);
        int[] zs = starts(frame.padded.d(), tile.d());
        int[] ys = starts(frame.padded.h(), tile.h());
        int[] xs = starts(frame.padded.w(), tile.w());
        PlaneSink checked = (z, logits) -> {
            try (Profiler.Span span = device.profiler().span("export planes")) {
                sink.accept(z, finite(name, z, size, logits));
            }
        };
        int total = zs.length * ys.length * xs.length;
        int done = 0;
        try (Scope scope = device.scope()) {
            int channels = image.length / (size.d() * size.h() * size.w());
            Tensor source = scope.tensor(shape(frame.stored, channels), frame.image);
            Pass pass = new Pass(scope, models, source, size);
            for (int z : zs) {
                for (int y : ys) {
                    for (int x : xs) {
                        pass.tile(frame, z, y, x, checked);
                        progress.tiles(++done, total);
                    }
                }
            }
            pass.slab.moveTo(pass.slab.origin() + tile.d(), size.d(), checked);
        }
    }

    private int[] starts(int n, int t) {
        return rule == Rule.NNUNET ? WindowSteps.nnunet(n, t, step) : WindowSteps.monai(n, t, step);
    }

    /** Subsets of the mirror axes as bits (1 = z, 2 = y, 4 = x): none, singles, pairs, all. */
    private List<Integer> mirrorings() {
        List<Integer> subsets = new ArrayList<>(List.of(0));
        for (int axis : mirrorAxes) {
            for (int bits : List.copyOf(subsets)) {
                subsets.add(bits | 1 << axis);
            }
        }
        subsets.sort(Comparator.comparingInt((Integer bits) -> Integer.bitCount(bits))
                .thenComparing(bits -> bits));
        return subsets;
    }

    private static float[] finite(String name, int z, Triple size, float[] logits) {
        float sum = 0;
        for (float value : logits) {
            sum += value * 0;
        }
        if (sum != 0) {
            throw new DataException(
                    name + ": the prediction is not finite in plane " + z + " of " + size.d()
                            + "; check that the model was trained to the end without NaN and that the images are like those of the training");
        }
        return logits;
    }

    private static Shape shape(Triple size, long channels) {
        return new Shape(1, size.d(), size.h(), size.w(), channels);
    }

    /** One prediction's tensors. */
    private final class Pass {
        final Scope scope;
        final List<Module> models;
        final Tensor source;
        final Triple size;
        final List<Integer> mirrorings = mirrorings();
        Slab slab;

        Pass(Scope scope, List<Module> models, Tensor source, Triple size) {
            this.scope = scope;
            this.models = models;
            this.source = source;
            this.size = size;
        }

        void tile(Frame frame, int z, int y, int x, PlaneSink sink) {
            int vz = z - frame.before.d();
            int vy = y - frame.before.h();
            int vx = x - frame.before.w();
            float factor = 1f / (models.size() * mirrorings.size());
            for (int mirrored : mirrorings) {
                for (int m = 0; m < models.size(); m++) {
                    Module model = models.get(m);
                    try (Scope step = scope.device().step(FIRST_STEP + m)) {
                        Tape tape = Tape.inference(step);
                        Profiler profiler = scope.device().profiler();
                        profiler.phase(Profiler.Phase.DATA, "tile");
                        Tensor input = step.tensor(shape(tile, source.shape().c()));
                        Slab.gather(
                                source,
                                input,
                                vz + frame.shift.d(),
                                vy + frame.shift.h(),
                                vx + frame.shift.w(),
                                mirrored);
                        Tensor logits = forward(model, tape, input);
                        profiler.phase(Profiler.Phase.OUTPUT, "tile");
                        open(vz, (int) logits.shape().c(), sink);
                        slab.add(logits, vy, vx, mirrored, factor);
                    }
                }
            }
        }

        private Tensor forward(Module model, Tape tape, Tensor input) {
            Tensor logits = model.forward(tape, input).getFirst();
            if (!logits.shape().withChannels(1).equals(input.shape().withChannels(1)) || !logits.dense()) {
                throw new ShapeException("the network turns a tile " + input.shape() + " into " + logits.shape()
                        + "; prediction needs the size of the tile");
            }
            return logits;
        }

        private void open(int z, int classes, PlaneSink sink) {
            if (slab == null) {
                slab = new Slab(scope, tile, size.h(), size.w(), classes, map.weights(tile), z);
            }
            if (slab.origin() != z) {
                slab.moveTo(z, size.d(), sink);
            }
        }
    }

    /**
     * How a volume is padded up to a tile.
     *
     * @param padded size with padding
     * @param before voxels of padding before the volume
     * @param image what is stored: the volume, or the volume with its edges repeated
     * @param stored its size
     * @param shift voxels of padding before the volume in what is stored
     */
    private record Frame(Triple padded, Triple before, float[] image, Triple stored, Triple shift) {
        static Frame of(SlidingWindow window, float[] image, Triple size) {
            Triple t = window.tile;
            Triple padded = new Triple(Math.max(size.d(), t.d()), Math.max(size.h(), t.h()), Math.max(size.w(), t.w()));
            Triple before =
                    new Triple((padded.d() - size.d()) / 2, (padded.h() - size.h()) / 2, (padded.w() - size.w()) / 2);
            if (window.padding == Padding.ZERO || padded.equals(size)) {
                return new Frame(padded, before, image, size, new Triple(0, 0, 0));
            }
            return new Frame(padded, before, repeatEdges(image, size, padded, before), padded, before);
        }

        private static float[] repeatEdges(float[] image, Triple size, Triple padded, Triple before) {
            int c = image.length / (size.d() * size.h() * size.w());
            float[] result = new float[padded.d() * padded.h() * padded.w() * c];
            IntBinaryOperator inside = (i, n) -> Math.clamp(i, 0, n - 1);
            int target = 0;
            for (int z = 0; z < padded.d(); z++) {
                int sz = inside.applyAsInt(z - before.d(), size.d());
                for (int y = 0; y < padded.h(); y++) {
                    int row = (sz * size.h() + inside.applyAsInt(y - before.h(), size.h())) * size.w();
                    for (int x = 0; x < padded.w(); x++, target += c) {
                        int source = row + inside.applyAsInt(x - before.w(), size.w());
                        System.arraycopy(image, source * c, result, target, c);
                    }
                }
            }
            return result;
        }
    }
}
