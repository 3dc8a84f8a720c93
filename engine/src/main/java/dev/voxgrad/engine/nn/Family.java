package dev.voxgrad.engine.nn;

import static dev.voxgrad.engine.nn.Family.Trait.DECODER_WITHOUT_BIAS;
import static dev.voxgrad.engine.nn.Family.Trait.DROPOUT;
import static dev.voxgrad.engine.nn.Family.Trait.HALVED_UPSAMPLING;
import static dev.voxgrad.engine.nn.Family.Trait.HEAD_FEATURES;
import static dev.voxgrad.engine.nn.Family.Trait.KERNEL_OF_LEVEL_BELOW;
import static dev.voxgrad.engine.nn.Family.Trait.MAX_POOL;
import static dev.voxgrad.engine.nn.Family.Trait.NORM;
import static dev.voxgrad.engine.nn.Family.Trait.ODD_SIZES;
import static dev.voxgrad.engine.nn.Family.Trait.ONLY_2D;
import static dev.voxgrad.engine.nn.Family.Trait.PADS_KERNEL_3_ONLY;
import static dev.voxgrad.engine.nn.Family.Trait.RESIDUAL_DECODER;
import static dev.voxgrad.engine.nn.Family.Trait.RESIDUAL_ENCODER;
import static dev.voxgrad.engine.nn.Family.Trait.SINGLE_HEAD;
import static dev.voxgrad.engine.nn.Family.Trait.SKIP_FIRST;

import dev.voxgrad.engine.ConfigException;
import java.util.Arrays;
import java.util.List;
import java.util.Set;

/**
 * The kinds of U-Nets as data: in what they differ, how their layers are named, in which order the state dict lists them, how weights
 * start. Everything else is the same code ({@link UNetLayout}) and the sizes in a {@link NetworkSpec}.
 */
enum Family {
    /** nnU-Net's plain U-Net; Isensee et al., Nature Methods 18, 2021. */
    PLAIN("PlainConvUNet", Set.of(NORM), Initializer.HE_LEAKY, Parts.NNUNET, nnUNet("0.convs.{layer}", "convs")),

    /** nnU-Net with a residual encoder; Isensee et al., MICCAI 2024 (nnU-Net revisited). */
    RESIDUAL_ENCODER_UNET(
            "ResidualEncoderUNet",
            Set.of(NORM, RESIDUAL_ENCODER),
            Initializer.HE_LEAKY_ZERO_BRANCH,
            Parts.NNUNET,
            nnUNet("blocks.{layer}", "convs")),

    /** Residual blocks in encoder and decoder. */
    RESIDUAL_UNET(
            "ResidualUNet",
            Set.of(NORM, RESIDUAL_ENCODER, RESIDUAL_DECODER),
            Initializer.HE_LEAKY_ZERO_BRANCH,
            Parts.NNUNET,
            nnUNet("blocks.{layer}", "blocks")),

    /** MONAI's BasicUNet with transposed convolutions; Falk et al., Nature Methods 16, 2019. */
    BASIC(
            "BasicUNet",
            Set.of(NORM, MAX_POOL, SKIP_FIRST, HALVED_UPSAMPLING, SINGLE_HEAD, HEAD_FEATURES, ODD_SIZES, DROPOUT),
            Initializer.PYTORCH_DEFAULT,
            List.of(Part.ENCODER, Part.DECODER_STEPS, Part.HEADS),
            new Names(
                    "conv_0.conv_{layer}",
                    "down_{level}.convs.conv_{layer}",
                    "down_{level}.convs.conv_{layer}",
                    "upcat_{below}.convs.conv_{layer}",
                    "upcat_{below}.upsample.deconv",
                    "final_conv",
                    ".conv",
                    ".adn.N")),

    /** The original 2D U-Net with padding; Ronneberger et al., MICCAI 2015. */
    CLASSIC_2D(
            "ClassicUNet2D",
            Set.of(MAX_POOL, SKIP_FIRST, SINGLE_HEAD, ONLY_2D),
            Initializer.XAVIER_UNIFORM,
            List.of(Part.ENCODER, Part.UPSAMPLING_BY_LEVEL, Part.DECODER_BY_LEVEL, Part.HEADS),
            Names.uniform("enc.{level}.conv{layer1}", "dec.{level}.conv{layer1}", "up.{level}", "head", "", "")),

    /** The network of nnU-Net's first version. */
    GENERIC_V1(
            "GenericUNetV1",
            Set.of(NORM, DECODER_WITHOUT_BIAS, KERNEL_OF_LEVEL_BELOW, PADS_KERNEL_3_ONLY),
            Initializer.HE_LEAKY,
            List.of(Part.DECODER, Part.ENCODER, Part.UPSAMPLING, Part.HEADS),
            new Names(
                    "conv_blocks_context.{level}.blocks.{layer}",
                    "conv_blocks_context.{level}.blocks.{layer}",
                    "conv_blocks_context.{level}.{group}.blocks.{member}",
                    "conv_blocks_localization.{step}.{group}.blocks.{member}",
                    "tu.{step}",
                    "seg_outputs.{step}",
                    ".conv",
                    ".instnorm"));

    /** What a family has beyond convolutions, activations, transposed convolutions and a head per decoder stage. */
    enum Trait {
        /** Instance norm behind every convolution but the heads. */
        NORM,
        /** A convolution at full resolution first, then residual blocks. */
        RESIDUAL_ENCODER,
        RESIDUAL_DECODER,
        /** Stages of the encoder start with a maximum over blocks instead of a strided convolution. */
        MAX_POOL,
        /** The skip connection's channels come before the upsampled ones. */
        SKIP_FIRST,
        /** Upsampling halves the channels, but keeps them at full resolution; otherwise it makes those of the skip connection. */
        HALVED_UPSAMPLING,
        /** Transposed convolutions and heads have no bias. */
        DECODER_WITHOUT_BIAS,
        /** A stage of the decoder has the kernel of the level below it. */
        KERNEL_OF_LEVEL_BELOW,
        /** Only the full resolution has a head. */
        SINGLE_HEAD,
        /** The last stage of the decoder may have its own number of channels. */
        HEAD_FEATURES,
        /** Sizes need not be divisible: lost planes are replicated on the way up. */
        ODD_SIZES,
        DROPOUT,
        ONLY_2D,
        /** Only kernels of size 3 are padded, so there are no larger ones. */
        PADS_KERNEL_3_ONLY
    }

    /** Groups of parameters that a state dict lists together; the order of a family is a list of them. */
    enum Part {
        ENCODER,
        /** The layers of the decoder without upsampling, lowest resolution first. */
        DECODER,
        UPSAMPLING,
        HEADS,
        /** Upsampling and layers of one stage after the other. */
        DECODER_STEPS,
        /** Full resolution first. */
        UPSAMPLING_BY_LEVEL,
        /** Full resolution first. */
        DECODER_BY_LEVEL
    }

    /** Constants that enum values can use before the enum has its own. */
    private static final class Parts {
        static final List<Part> NNUNET = List.of(Part.ENCODER, Part.DECODER, Part.UPSAMPLING, Part.HEADS);
    }

    /** The first layer of a residual encoder. */
    static final String STEM = "encoder.stem.convs.0";

    private final String network;
    private final Set<Trait> traits;
    private final Initializer initializer;
    private final List<Part> order;
    private final Names names;

    Family(String network, Set<Trait> traits, Initializer initializer, List<Part> order, Names names) {
        this.network = network;
        this.traits = traits;
        this.initializer = initializer;
        this.order = order;
        this.names = names;
    }

    private static Names nnUNet(String encoder, String decoder) {
        return Names.uniform(
                "encoder.stages.{level}." + encoder,
                "decoder.stages.{step}." + decoder + ".{layer}",
                "decoder.transpconvs.{step}",
                "decoder.seg_layers.{step}",
                ".conv",
                ".norm");
    }

    /**
     * The family of a name in a {@link NetworkSpec}.
     *
     * @throws ConfigException when there is none, listing all
     */
    static Family of(String network) {
        return Arrays.stream(values())
                .filter(f -> f.network.equals(network))
                .findFirst()
                .orElseThrow(
                        () -> new ConfigException("network: there is no architecture \"" + network + "\"; use one of "
                                + Arrays.stream(values()).map(Family::network).toList()));
    }

    String network() {
        return network;
    }

    boolean has(Trait trait) {
        return traits.contains(trait);
    }

    Initializer initializer() {
        return initializer;
    }

    List<Part> order() {
        return order;
    }

    Names names() {
        return names;
    }

    /**
     * Checks that a network of this family can be as the specification says.
     *
     * @throws ConfigException naming the key and what is valid
     */
    void require(NetworkSpec spec) {
        require(!has(ONLY_2D) || spec.dim() == 2, "dim is " + spec.dim() + "; use 2");
        require(
                !has(SINGLE_HEAD) || !spec.deepSupervision(),
                "deepSupervision is true, but only the full resolution has a head; use false");
        require(
                has(DROPOUT) || spec.dropout() == 0,
                "dropout is " + spec.dropout() + ", but it has no dropout; leave the key out");
        require(
                has(HEAD_FEATURES) || spec.headFeatures() == 0,
                "headFeatures is " + spec.headFeatures() + ", but its last stage has the first of features; leave the"
                        + " key out");
        require(
                !has(PADS_KERNEL_3_ONLY)
                        || spec.kernels().stream().flatMap(List::stream).allMatch(k -> k <= 3),
                "kernels are " + spec.kernels() + "; use sizes 1 and 3");
        if (has(HALVED_UPSAMPLING)) {
            List<Integer> halved = spec.features().subList(2, spec.stages());
            require(halved.stream().allMatch(f -> f >= 2), "features are " + spec.features() + "; use at least 2");
        }
    }

    private void require(boolean condition, String problem) {
        if (!condition) {
            throw new ConfigException("network " + network + ": " + problem);
        }
    }
}
