package dev.voxgrad.engine.nn;

import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.tensor.Scope;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;

/** Networks by their specification, and specifications with the default values of the published architectures. */
public final class Networks {
    private static final double NNUNET_SLOPE = 0.01;
    private static final double MONAI_SLOPE = 0.1;
    private static final double EPS = 1e-5;

    private Networks() {}

    /** The architectures that a {@link NetworkSpec} may name. */
    public static List<String> names() {
        return Arrays.stream(Family.values()).map(Family::network).toList();
    }

    /**
     * Builds a network; its weights are undefined until they are loaded or initialized.
     *
     * @param scope owner of the weights
     * @throws ConfigException when there is no network of that name, or it cannot be as the specification says
     */
    public static Module create(NetworkSpec spec, Scope scope) {
        return new UNet(spec, scope);
    }

    /**
     * The parameters that {@link #create} would allocate, in the order of the state dict.
     *
     * @throws ConfigException when there is no network of that name, or it cannot be as the specification says
     */
    public static List<ParameterSpec> parameters(NetworkSpec spec) {
        return UNetLayout.of(spec).parameters(Family.of(spec.network()).order());
    }

    /** Channels of stages: doubled from {@code first} up to a limit. */
    public static List<Integer> doubled(int first, int stages, int limit) {
        return IntStream.range(0, stages)
                .mapToObj(s -> (int) Math.min(limit, (long) first << Math.min(s, 31)))
                .toList();
    }

    /** Kernels of the same size on every axis and stage. */
    public static List<List<Integer>> cubes(int dim, int size, int stages) {
        return Collections.nCopies(stages, Collections.nCopies(dim, size));
    }

    /** Strides that halve every axis in front of all stages but the first. */
    public static List<List<Integer>> halvings(int dim, int stages) {
        return IntStream.range(0, stages)
                .mapToObj(s -> Collections.nCopies(dim, s == 0 ? 1 : 2))
                .toList();
    }

    /** nnU-Net's plain U-Net, two convolutions per stage. */
    public static NetworkSpec plainUNet(
            int inChannels,
            int classes,
            List<Integer> features,
            List<List<Integer>> kernels,
            List<List<Integer>> strides,
            boolean deepSupervision) {
        List<Integer> down = Collections.nCopies(features.size(), 2);
        return spec(Family.PLAIN, inChannels, classes, features, kernels, strides, down, 2, deepSupervision);
    }

    /** nnU-Net with a residual encoder: 1, 3, 4, 6, 6, ... residual blocks down, one convolution per stage up. */
    public static NetworkSpec residualEncoderUNet(
            int inChannels,
            int classes,
            List<Integer> features,
            List<List<Integer>> kernels,
            List<List<Integer>> strides,
            boolean deepSupervision) {
        List<Integer> start = List.of(1, 3, 4);
        List<Integer> down = IntStream.range(0, features.size())
                .mapToObj(s -> s < start.size() ? start.get(s) : 6)
                .toList();
        return spec(
                Family.RESIDUAL_ENCODER_UNET,
                inChannels,
                classes,
                features,
                kernels,
                strides,
                down,
                1,
                deepSupervision);
    }

    /** Two residual blocks per stage down, one per stage up. */
    public static NetworkSpec residualUNet(
            int inChannels,
            int classes,
            List<Integer> features,
            List<List<Integer>> kernels,
            List<List<Integer>> strides,
            boolean deepSupervision) {
        List<Integer> down = Collections.nCopies(features.size(), 2);
        return spec(Family.RESIDUAL_UNET, inChannels, classes, features, kernels, strides, down, 1, deepSupervision);
    }

    /** The network of nnU-Net's first version, two convolutions per stage. */
    public static NetworkSpec genericUNetV1(
            int inChannels,
            int classes,
            List<Integer> features,
            List<List<Integer>> kernels,
            List<List<Integer>> strides,
            boolean deepSupervision) {
        List<Integer> down = Collections.nCopies(features.size(), 2);
        return spec(Family.GENERIC_V1, inChannels, classes, features, kernels, strides, down, 2, deepSupervision);
    }

    /** The original 2D U-Net: ReLU, no norm. */
    public static NetworkSpec classicUNet2D(int inChannels, int classes, List<Integer> features) {
        int stages = features.size();
        return new NetworkSpec(
                Family.CLASSIC_2D.network(),
                2,
                inChannels,
                classes,
                features,
                cubes(2, 3, stages),
                halvings(2, stages),
                Collections.nCopies(stages, 2),
                Collections.nCopies(stages - 1, 2),
                false,
                0,
                EPS,
                NetworkSpec.LEAKY_RELU,
                0,
                0);
    }

    /**
     * MONAI's BasicUNet.
     *
     * @param features six numbers: five stages and the last stage of the decoder
     * @param activation {@code mish}, or {@code leaky_relu} with MONAI's slope 0.1
     * @param dropout probability
     * @throws ConfigException when there are not six features
     */
    public static NetworkSpec basicUNet(
            int dim, int inChannels, int classes, List<Integer> features, String activation, double dropout) {
        if (features.size() != 6) {
            throw new ConfigException("network BasicUNet: features are " + features
                    + "; use six numbers, for five stages and the last stage of the decoder");
        }
        return new NetworkSpec(
                Family.BASIC.network(),
                dim,
                inChannels,
                classes,
                features.subList(0, 5),
                cubes(dim, 3, 5),
                halvings(dim, 5),
                Collections.nCopies(5, 2),
                Collections.nCopies(4, 2),
                false,
                MONAI_SLOPE,
                EPS,
                activation,
                dropout,
                features.get(5));
    }

    private static NetworkSpec spec(
            Family family,
            int inChannels,
            int classes,
            List<Integer> features,
            List<List<Integer>> kernels,
            List<List<Integer>> strides,
            List<Integer> down,
            int up,
            boolean deepSupervision) {
        int stages = features.size();
        return new NetworkSpec(
                family.network(),
                kernels.isEmpty() ? 0 : kernels.get(0).size(),
                inChannels,
                classes,
                features,
                kernels,
                strides,
                down,
                Collections.nCopies(Math.max(0, stages - 1), up),
                deepSupervision,
                NNUNET_SLOPE,
                EPS,
                NetworkSpec.LEAKY_RELU,
                0,
                0);
    }
}
