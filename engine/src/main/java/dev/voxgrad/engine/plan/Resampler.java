package dev.voxgrad.engine.plan;

import dev.voxgrad.bindings.NativeContext;
import dev.voxgrad.bindings.ffi.VoxgradH;
import dev.voxgrad.bindings.ffi.vg_resample;
import dev.voxgrad.engine.op.Triple;
import dev.voxgrad.engine.tensor.Device;
import dev.voxgrad.engine.tensor.Scope;
import dev.voxgrad.engine.tensor.Shape;
import dev.voxgrad.engine.tensor.Tensor;
import dev.voxgrad.engine.tensor.Work;
import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/**
 * nnU-Net's resampling. Volumes with one much coarser axis are resized slice by slice perpendicular to it, then the nearest slices
 * are taken along it; all others are resized in three dimensions at once. Images use cubic splines on the device, labels the linear
 * interpolation of every label's mask.
 */
public final class Resampler {
    /** Ratio of the coarsest to the finest spacing above which the coarsest axis is treated on its own. */
    private static final double ANISOTROPY = 3;

    private static final int CUBIC = 3;

    private Resampler() {}

    /** rint(spacing / target * size) per axis, at least 1; axes z, y, x. */
    public static Triple targetSize(Triple size, List<Double> spacingMm, List<Double> targetMm) {
        return new Triple(
                (int) Math.max(1, Math.rint(spacingMm.get(0) / targetMm.get(0) * size.d())),
                (int) Math.max(1, Math.rint(spacingMm.get(1) / targetMm.get(1) * size.h())),
                (int) Math.max(1, Math.rint(spacingMm.get(2) / targetMm.get(2) * size.w())));
    }

    /**
     * The axis (0 = z) that is resized on its own: the single coarsest one of the current spacing
     * if that is anisotropic, else of the new one.
     */
    public static OptionalInt separateAxis(List<Double> currentMm, List<Double> newMm) {
        for (List<Double> spacing : List.of(currentMm, newMm)) {
            double max = Math.max(spacing.get(0), Math.max(spacing.get(1), spacing.get(2)));
            double min = Math.min(spacing.get(0), Math.min(spacing.get(1), spacing.get(2)));
            if (max / min > ANISOTROPY) {
                int[] coarsest =
                        IntStream.range(0, 3).filter(a -> spacing.get(a) == max).toArray();
                return coarsest.length == 1 ? OptionalInt.of(coarsest[0]) : OptionalInt.empty();
            }
        }
        return OptionalInt.empty();
    }

    /** The three axes of a linear interpolation; the separate one takes the nearest sample. */
    public static List<ResampleAxis> linearAxes(Triple from, Triple to, OptionalInt separate) {
        int[] n = {from.d(), from.h(), from.w()};
        int[] m = {to.d(), to.h(), to.w()};
        return IntStream.range(0, 3)
                .mapToObj(a -> separate.equals(OptionalInt.of(a))
                        ? ResampleAxis.nearest(n[a], m[a])
                        : ResampleAxis.linear(n[a], m[a]))
                .toList();
    }

    /** Resizes one channel of an image with cubic splines; the separate axis takes the nearest slice. */
    static float[] image(Device device, float[] x, Triple from, Triple to, OptionalInt separate) {
        return resize(device, x, from, to, CUBIC, 0, separate);
    }

    /**
     * Resizes one channel.
     *
     * @param order 0 nearest, 1 linear, 3 cubic spline
     * @param across order along the separate axis: 0 nearest slice, 1 linear between two
     */
    public static float[] resize(
            Device device, float[] x, Triple from, Triple to, int order, int across, OptionalInt separate) {
        if (from.equals(to)) {
            return x;
        }
        if (separate.isEmpty()) {
            return resize(device, x, from, to, order);
        }
        int axis = separate.getAsInt();
        Triple slices = move(from, axis);
        Triple target = move(to, axis);
        float[] source = axis == 0 ? x : toFront(x, from, axis);
        ResampleAxis pick = across(slices.d(), target.d(), across);
        int plane = target.h() * target.w();
        float[][] resized = new float[slices.d()][];
        float[] y = new float[target.d() * plane];
        for (int k = 0; k < target.d(); k++) {
            int low = pick.low()[k];
            int high = pick.high()[k];
            for (int i : new int[] {low, high}) {
                resized[i] = resized[i] == null ? slice(device, source, slices, i, target, order) : resized[i];
            }
            if (low == high) {
                System.arraycopy(resized[low], 0, y, k * plane, plane);
            } else {
                double w = pick.weight()[k];
                for (int i = 0; i < plane; i++) {
                    y[k * plane + i] = (float) (resized[low][i] * w + resized[high][i] * (1 - w));
                }
            }
            Arrays.fill(resized, 0, low, null);
        }
        return axis == 0 ? y : fromFront(y, to, axis);
    }

    private static ResampleAxis across(int n, int m, int order) {
        return order == 0 ? ResampleAxis.nearest(n, m) : ResampleAxis.linear(n, m);
    }

    private static float[] slice(Device device, float[] x, Triple from, int index, Triple to, int order) {
        int plane = from.h() * from.w();
        return resize(
                device,
                Arrays.copyOfRange(x, index * plane, (index + 1) * plane),
                new Triple(1, from.h(), from.w()),
                new Triple(1, to.h(), to.w()),
                order);
    }

    private static float[] resize(Device device, float[] x, Triple from, Triple to, int order) {
        if (from.equals(to)) {
            return x;
        }
        NativeContext context = device.context();
        try (Scope scope = device.scope();
                Arena arena = Arena.ofConfined()) {
            Tensor source = scope.tensor(new Shape(1, from.d(), from.h(), from.w(), 1), x);
            Tensor target = scope.tensor(new Shape(1, to.d(), to.h(), to.w(), 1));
            var problem = vg_resample.allocate(arena);
            vg_resample.size(problem, vg_resample.sizeof());
            vg_resample.d(problem, from.d());
            vg_resample.h(problem, from.h());
            vg_resample.w(problem, from.w());
            vg_resample.od(problem, to.d());
            vg_resample.oh(problem, to.h());
            vg_resample.ow(problem, to.w());
            vg_resample.order(problem, order);
            // A product and a sum for each of the (order + 1)^3 voxels around a place.
            long taps = (order + 1L) * (order + 1) * (order + 1);
            long flops = order == 0 ? 0 : 2 * taps * target.shape().elements();
            device.announce(Work.of("resample_volume", flops, source, target, Work.bytes(source, target)));
            context.check(VoxgradH.vg_resample_volume(context.handle(), problem, source.data(), target.data()));
            return target.toArray();
        }
    }

    /**
     * Resizes labels: each label's mask linearly, a voxel takes the label whose mask is at least 0.5 there, the higher one of two,
     * 0 if none is. The separate axis takes the nearest slice.
     */
    static short[] labels(short[] x, Triple from, Triple to, OptionalInt separate) {
        return from.equals(to) ? x : labels(x, from, linearAxes(from, to, separate));
    }

    /** Resizes labels along the given axes. */
    static short[] labels(short[] x, Triple from, List<ResampleAxis> axes) {
        int plane = axes.get(1).length() * axes.get(2).length();
        short[] y = new short[axes.get(0).length() * plane];
        IntStream.range(0, axes.get(0).length()).parallel().forEach(z -> labelPlane(x, from, axes, z, y));
        return y;
    }

    private static void labelPlane(short[] x, Triple from, List<ResampleAxis> axes, int z, short[] result) {
        ResampleAxis az = axes.get(0);
        ResampleAxis ay = axes.get(1);
        ResampleAxis ax = axes.get(2);
        short[] corner = new short[8];
        double[] weight = new double[8];
        int out = z * ay.length() * ax.length();
        for (int y = 0; y < ay.length(); y++) {
            for (int i = 0; i < ax.length(); i++) {
                boolean equal = true;
                for (int k = 0; k < 8; k++) {
                    int cz = (k & 4) == 0 ? az.low()[z] : az.high()[z];
                    int cy = (k & 2) == 0 ? ay.low()[y] : ay.high()[y];
                    int cx = (k & 1) == 0 ? ax.low()[i] : ax.high()[i];
                    corner[k] = x[(cz * from.h() + cy) * from.w() + cx];
                    weight[k] = ((k & 4) == 0 ? az.weight()[z] : 1 - az.weight()[z])
                            * ((k & 2) == 0 ? ay.weight()[y] : 1 - ay.weight()[y])
                            * ((k & 1) == 0 ? ax.weight()[i] : 1 - ax.weight()[i]);
                    equal &= corner[k] == corner[0];
                }
                result[out++] = equal ? corner[0] : vote(corner, weight);
            }
        }
    }

    private static short vote(short[] corner, double[] weight) {
        short best = 0;
        boolean found = false;
        for (int k = 0; k < 8; k++) {
            double sum = 0;
            for (int j = 0; j < 8; j++) {
                sum += corner[j] == corner[k] ? weight[j] : 0;
            }
            if (sum >= 0.5 && (!found || corner[k] > best)) {
                best = corner[k];
                found = true;
            }
        }
        return best;
    }

    /** Sizes with an axis moved to the front. */
    private static Triple move(Triple s, int axis) {
        return switch (axis) {
            case 1 -> new Triple(s.h(), s.d(), s.w());
            case 2 -> new Triple(s.w(), s.d(), s.h());
            default -> s;
        };
    }

    private static float[] toFront(float[] x, Triple s, int axis) {
        float[] y = new float[x.length];
        permute(s, axis, (original, moved) -> y[moved] = x[original]);
        return y;
    }

    private static float[] fromFront(float[] x, Triple s, int axis) {
        float[] y = new float[x.length];
        permute(s, axis, (original, moved) -> y[original] = x[moved]);
        return y;
    }

    private interface Pair {
        void visit(int original, int moved);
    }

    private static void permute(Triple s, int axis, Pair pair) {
        int original = 0;
        for (int z = 0; z < s.d(); z++) {
            for (int y = 0; y < s.h(); y++) {
                for (int x = 0; x < s.w(); x++) {
                    int moved = axis == 1 ? (y * s.d() + z) * s.w() + x : (x * s.d() + z) * s.h() + y;
                    pair.visit(original++, moved);
                }
            }
        }
    }
}
