package dev.voxgrad.golden;

import dev.voxgrad.engine.tensor.Labels;
import dev.voxgrad.engine.tensor.Scope;
import dev.voxgrad.engine.tensor.Shape;
import dev.voxgrad.engine.tensor.Tensor;
import java.util.Arrays;

/**
 * Between the order of golden arrays, N C [D] H W, and that of the engine, N D H W C. Weights go the same way, (A,B,k...) to
 * [A][k...][B]; an array with one axis is a vector.
 */
public final class ChannelsLast {
    private ChannelsLast() {}

    /** The engine's sizes of an array with channels. */
    public static Shape shape(int... sizes) {
        return switch (sizes.length) {
            case 1 -> Shape.vector(sizes[0]);
            case 4 -> new Shape(sizes[0], 1, sizes[2], sizes[3], sizes[1]);
            case 5 -> new Shape(sizes[0], sizes[2], sizes[3], sizes[4], sizes[1]);
            default -> throw new IllegalArgumentException("no image or weight: " + Arrays.toString(sizes));
        };
    }

    /** Uploads a golden array. */
    public static Tensor tensor(Scope scope, GoldenTensor golden) {
        Shape s = shape(golden.shape());
        float[] values = golden.floats();
        float[] moved = new float[values.length];
        int voxels = (int) s.voxels();
        int c = (int) s.c();
        for (int i = 0; i < values.length; i++) {
            moved[lastIndex(i, voxels, c)] = values[i];
        }
        return scope.tensor(s, moved);
    }

    /** Uploads class labels N [D] H W, which have no channel axis. */
    public static Labels labels(Scope scope, GoldenTensor golden) {
        int[] sizes = golden.shape();
        int[] withChannel = new int[sizes.length + 1];
        withChannel[0] = sizes[0];
        withChannel[1] = 1;
        System.arraycopy(sizes, 1, withChannel, 2, sizes.length - 1);
        return scope.labels(shape(withChannel), golden.bytes());
    }

    /** Uploads bytes with channels: targets or masks N C [D] H W. */
    public static Labels channels(Scope scope, GoldenTensor golden) {
        Shape s = shape(golden.shape());
        byte[] values = golden.bytes();
        byte[] moved = new byte[values.length];
        for (int i = 0; i < values.length; i++) {
            moved[lastIndex(i, (int) s.voxels(), (int) s.c())] = values[i];
        }
        return scope.labels(s, moved);
    }

    /** Downloads a tensor in the order of golden arrays. */
    public static float[] array(Tensor tensor) {
        Shape s = tensor.shape();
        float[] values = tensor.toArray();
        float[] moved = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            moved[i] = values[lastIndex(i, (int) s.voxels(), (int) s.c())];
        }
        return moved;
    }

    /** The position in N D H W C of position {@code first} in N C D H W. */
    private static int lastIndex(int first, int voxels, int c) {
        int sample = first / (voxels * c);
        int channel = first / voxels % c;
        int voxel = first % voxels;
        return (sample * voxels + voxel) * c + channel;
    }
}
