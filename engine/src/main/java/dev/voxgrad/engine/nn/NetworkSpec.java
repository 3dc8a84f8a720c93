package dev.voxgrad.engine.nn;

import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.JsonDefault;
import dev.voxgrad.engine.JsonDefaults;
import dev.voxgrad.engine.ShapeException;
import dev.voxgrad.engine.op.Activation;
import dev.voxgrad.engine.op.Triple;
import dev.voxgrad.engine.tensor.Shape;
import java.util.List;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.MapperFeature;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * A network as pure data. Stage 0 is the full resolution. Kernels and strides hold {@code dim} sizes for each stage in the order of
 * the axes, z first.
 *
 * <p>The keys from {@code activation} on may be left out of the JSON text.
 *
 * @param network name of the architecture, one of {@link Networks#names}
 * @param dim 2 or 3
 * @param inChannels channels of the images
 * @param classes channels of the logits
 * @param features channels of each stage
 * @param kernels odd kernel sizes of each stage
 * @param strides of the first convolution of each stage, or of the pool before it; those of stage 0 are 1
 * @param encoderConvs convolutions of each encoder stage, or residual blocks where the architecture has them
 * @param decoderConvs the same of each decoder stage, lowest resolution first, one stage fewer
 * @param deepSupervision whether the forward pass returns logits of the lower resolutions too
 * @param negativeSlope of the leaky ReLU
 * @param eps of the instance norm
 * @param activation {@code leaky_relu} or {@code mish}
 * @param dropout probability that training sets an element in front of an activation to 0, for architectures with dropout
 * @param headFeatures channels of the last decoder stage, for architectures where they are free; 0 = those of stage 0
 */
public record NetworkSpec(
        String network,
        int dim,
        int inChannels,
        int classes,
        List<Integer> features,
        List<List<Integer>> kernels,
        List<List<Integer>> strides,
        List<Integer> encoderConvs,
        List<Integer> decoderConvs,
        boolean deepSupervision,
        double negativeSlope,
        double eps,
        @JsonDefault("\"leaky_relu\"") String activation,
        @JsonDefault("0.0") double dropout,
        @JsonDefault("0") int headFeatures) {
    /** The activation x where positive, {@link #negativeSlope} times x elsewhere. */
    public static final String LEAKY_RELU = "leaky_relu";

    /** The activation x tanh(softplus(x)). */
    public static final String MISH = "mish";

    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES)
            .disable(MapperFeature.SORT_PROPERTIES_ALPHABETICALLY)
            .enable(SerializationFeature.INDENT_OUTPUT)
            .build();

    /** Checks that the lists fit each other. */
    public NetworkSpec {
        require(!network.isBlank(), "network has no name");
        require(dim == 2 || dim == 3, "dim is " + dim + ", not 2 or 3");
        require(inChannels >= 1, "inChannels is " + inChannels + ", not at least 1");
        require(classes >= 1 && classes <= 256, "classes is " + classes + ", not between 1 and 256");
        features = List.copyOf(features);
        kernels = kernels.stream().map(List::copyOf).toList();
        strides = strides.stream().map(List::copyOf).toList();
        encoderConvs = List.copyOf(encoderConvs);
        decoderConvs = List.copyOf(decoderConvs);
        int stages = features.size();
        require(stages >= 2, "features has " + stages + " stages, not at least 2");
        require(kernels.size() == stages, "kernels has " + kernels.size() + " stages, features " + stages);
        require(strides.size() == stages, "strides has " + strides.size() + " stages, features " + stages);
        require(
                encoderConvs.size() == stages,
                "encoderConvs has " + encoderConvs.size() + " stages, features " + stages);
        require(
                decoderConvs.size() == stages - 1,
                "decoderConvs has " + decoderConvs.size() + " stages, not one fewer than features (" + stages + ")");
        require(features.stream().allMatch(f -> f >= 1), "features " + features + " are not all positive");
        require(encoderConvs.stream().allMatch(n -> n >= 1), "encoderConvs " + encoderConvs + " are not all positive");
        require(decoderConvs.stream().allMatch(n -> n >= 1), "decoderConvs " + decoderConvs + " are not all positive");
        for (int s = 0; s < stages; s++) {
            List<Integer> kernel = kernels.get(s);
            List<Integer> stride = strides.get(s);
            require(kernel.size() == dim, "kernels of stage " + s + " are " + kernel + ", not " + dim + " numbers");
            require(stride.size() == dim, "strides of stage " + s + " are " + stride + ", not " + dim + " numbers");
            require(
                    kernel.stream().allMatch(k -> k >= 1 && k % 2 == 1),
                    "kernels of stage " + s + " are " + kernel + ", not odd");
            require(
                    stride.stream().allMatch(v -> v >= 1),
                    "strides of stage " + s + " are " + stride + ", not positive");
        }
        require(strides.get(0).stream().allMatch(v -> v == 1), "strides of stage 0 are " + strides.get(0) + ", not 1");
        require(
                negativeSlope >= 0 && Double.isFinite(negativeSlope),
                "negativeSlope is " + negativeSlope + ", not at least 0");
        require(eps > 0 && Double.isFinite(eps), "eps is " + eps + ", not positive");
        require(
                activation.equals(LEAKY_RELU) || activation.equals(MISH),
                "activation is " + activation + ", not " + LEAKY_RELU + " or " + MISH);
        require(dropout >= 0 && dropout < 1, "dropout is " + dropout + ", not at least 0 and below 1");
        require(headFeatures >= 0, "headFeatures is " + headFeatures + ", not positive; 0 means those of stage 0");
    }

    private static void require(boolean condition, String problem) {
        if (!condition) {
            throw new ConfigException("network: " + problem);
        }
    }

    /** The same network with only the full resolution as output; the weights stay the same. */
    public NetworkSpec withoutDeepSupervision() {
        return with(classes, false);
    }

    /** The same network with another number of channels of the logits. */
    public NetworkSpec withClasses(int channels) {
        return with(channels, deepSupervision);
    }

    private NetworkSpec with(int otherClasses, boolean otherDeepSupervision) {
        return new NetworkSpec(
                network,
                dim,
                inChannels,
                otherClasses,
                features,
                kernels,
                strides,
                encoderConvs,
                decoderConvs,
                otherDeepSupervision,
                negativeSlope,
                eps,
                activation,
                dropout,
                headFeatures);
    }

    /**
     * How the weights of this architecture start.
     *
     * @throws ConfigException when there is no such architecture
     */
    public Initializer initializer() {
        return Family.of(network).initializer();
    }

    /**
     * Whether this architecture has a head at full resolution only, so that there is no deep supervision.
     *
     * @throws ConfigException when there is no such architecture
     */
    public boolean singleHead() {
        return Family.of(network).has(Family.Trait.SINGLE_HEAD);
    }

    /** The activation as a function. */
    Activation.Function function() {
        return activation.equals(MISH)
                ? Activation.Function.MISH
                : Activation.Function.leakyRelu((float) negativeSlope);
    }

    /** Number of stages. */
    public int stages() {
        return features.size();
    }

    /** Kernel of a stage; depth 1 in 2D. */
    public Triple kernel(int stage) {
        return triple(kernels.get(stage));
    }

    /** Stride of a stage; depth 1 in 2D. */
    public Triple stride(int stage) {
        return triple(strides.get(stage));
    }

    /** Product of the strides up to a stage: how much coarser than the input its grid is. */
    public Triple reduction(int stage) {
        Triple product = Triple.of(1);
        for (int s = 1; s <= stage; s++) {
            Triple stride = stride(s);
            product = new Triple(product.d() * stride.d(), product.h() * stride.h(), product.w() * stride.w());
        }
        return product;
    }

    private static Triple triple(List<Integer> sizes) {
        return sizes.size() == 3
                ? new Triple(sizes.get(0), sizes.get(1), sizes.get(2))
                : new Triple(1, sizes.get(0), sizes.get(1));
    }

    /**
     * Checks that the network can take an input.
     *
     * @param input [N,D,H,W,C]
     * @throws ShapeException naming the parameter that does not fit
     * @throws ConfigException when there is no such network
     */
    public void requireInput(Shape input) {
        Family family = Family.of(network);
        family.require(this);
        if (input.c() != inChannels) {
            throw new ShapeException(
                    network + ": the input " + input + " has " + input.c() + " channels, inChannels is " + inChannels);
        }
        if (dim == 2 && input.d() != 1) {
            throw new ShapeException(
                    network + ": the input " + input + " has depth " + input.d() + ", dim 2 needs depth 1");
        }
        Triple r = reduction(stages() - 1);
        String strides = "the product of the strides [" + r.d() + "," + r.h() + "," + r.w() + "]";
        if (input.d() < r.d() || input.h() < r.h() || input.w() < r.w()) {
            throw new ShapeException(network + ": the grid of the input " + input + " is smaller than " + strides
                    + "; use a larger patch or fewer stages");
        }
        if (!family.has(Family.Trait.ODD_SIZES)
                && (input.d() % r.d() != 0 || input.h() % r.h() != 0 || input.w() % r.w() != 0)) {
            throw new ShapeException(network + ": the grid of the input " + input + " is not divisible by " + strides
                    + "; pad the patch or change strides");
        }
        long left = (input.d() / r.d()) * (input.h() / r.h()) * (input.w() / r.w());
        if (family.has(Family.Trait.NORM) && left < 2) {
            throw new ShapeException(network + ": the input " + input + " has a single voxel left after " + strides
                    + ", which instance norm cannot take; use a larger patch or fewer stages");
        }
    }

    /** As JSON text. */
    public String toJson() {
        return JsonDefaults.write(JSON, this);
    }

    /**
     * From JSON text; every key must be known, and all without a default must be there.
     *
     * @throws ConfigException saying which key is wrong
     */
    public static NetworkSpec fromJson(String json) {
        try {
            return JsonDefaults.read(JSON, json, NetworkSpec.class);
        } catch (JacksonException e) {
            if (e.getCause() instanceof ConfigException config) {
                throw config;
            }
            throw new ConfigException("network: " + e.getOriginalMessage(), e);
        }
    }
}
