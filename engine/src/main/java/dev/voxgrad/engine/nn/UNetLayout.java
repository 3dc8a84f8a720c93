package dev.voxgrad.engine.nn;

import dev.voxgrad.engine.nn.Family.Part;
import dev.voxgrad.engine.nn.Family.Trait;
import dev.voxgrad.engine.op.Activation;
import dev.voxgrad.engine.op.Triple;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.IntFunction;

/**
 * All layers of a U-Net by name and size, without weights: what the forward pass, the list of parameters and the count of operations
 * have in common.
 *
 * @param encoder stages, full resolution first
 * @param decoder stages, lowest resolution first
 */
record UNetLayout(List<Chain> encoder, List<Step> decoder) {
    /**
     * A stage of the decoder.
     *
     * @param up to its level
     * @param blocks behind the concatenation
     * @param head logits of its level; empty where the family has none
     */
    record Step(UpBlock up, Chain blocks, Optional<ConvBlock> head) {}

    /**
     * Lays out a network.
     *
     * @throws dev.voxgrad.engine.ConfigException when there is no such family, or it cannot be as the specification says
     */
    static UNetLayout of(NetworkSpec spec) {
        Family family = Family.of(spec.network());
        family.require(spec);
        return new Assembly(spec, family).layout();
    }

    /** The parameters in the order of the family's state dict. */
    List<ParameterSpec> parameters(List<Part> order) {
        List<ParameterSpec> specs = new ArrayList<>();
        order.forEach(part -> declare(part, specs));
        return List.copyOf(specs);
    }

    private void declare(Part part, List<ParameterSpec> specs) {
        switch (part) {
            case ENCODER -> encoder.forEach(stage -> stage.declare(specs));
            case DECODER -> decoder.forEach(step -> step.blocks().declare(specs));
            case UPSAMPLING -> decoder.forEach(step -> step.up().declare(specs));
            case HEADS -> decoder.forEach(step -> step.head().ifPresent(h -> h.declare(specs)));
            case DECODER_STEPS ->
                decoder.forEach(step -> {
                    step.up().declare(specs);
                    step.blocks().declare(specs);
                });
            case UPSAMPLING_BY_LEVEL ->
                decoder.reversed().forEach(step -> step.up().declare(specs));
            case DECODER_BY_LEVEL ->
                decoder.reversed().forEach(step -> step.blocks().declare(specs));
        }
    }

    /** Puts the layers together. */
    private record Assembly(NetworkSpec spec, Family family) {
        private static final Triple ONE = Triple.of(1);

        UNetLayout layout() {
            List<Chain> encoder = new ArrayList<>();
            List<Step> decoder = new ArrayList<>();
            long in = spec.inChannels();
            for (int level = 0; level < spec.stages(); level++) {
                encoder.add(encoderStage(level, in));
                in = spec.features().get(level);
            }
            for (int level = spec.stages() - 2; level >= 0; level--) {
                Step step = step(level, in);
                decoder.add(step);
                in = features(level);
            }
            return new UNetLayout(List.copyOf(encoder), List.copyOf(decoder));
        }

        private Chain encoderStage(int level, long in) {
            List<Block> blocks = new ArrayList<>();
            Triple stride = spec.stride(level);
            long from = in;
            if (family.has(Trait.MAX_POOL) && level > 0) {
                blocks.add(new Block.MaxPool(stride));
                stride = ONE;
            }
            long out = spec.features().get(level);
            if (family.has(Trait.RESIDUAL_ENCODER) && level == 0) {
                blocks.add(conv(Family.STEM, from, out, spec.kernel(0), ONE, true));
                from = out;
            }
            int layers = spec.encoderConvs().get(level);
            IntFunction<String> name = i -> family.names().encoder(level, spec.stages(), i, layers);
            row(blocks, family.has(Trait.RESIDUAL_ENCODER), name, layers, from, out, spec.kernel(level), stride);
            return new Chain(List.copyOf(blocks));
        }

        /** @param below channels of the level below */
        private Step step(int level, long below) {
            int levels = spec.stages();
            long skip = spec.features().get(level);
            long out = features(level);
            long up = !family.has(Trait.HALVED_UPSAMPLING) ? skip : level == 0 ? below : below / 2;
            boolean bias = !family.has(Trait.DECODER_WITHOUT_BIAS);
            UpBlock upsampling = new UpBlock(
                    family.names().up(level, levels),
                    below,
                    up,
                    skip,
                    spec.stride(level + 1),
                    bias,
                    family.has(Trait.SKIP_FIRST));
            List<Block> blocks = new ArrayList<>();
            int layers = spec.decoderConvs().get(levels - 2 - level);
            IntFunction<String> name = i -> family.names().decoder(level, levels, i, layers);
            Triple kernel = spec.kernel(family.has(Trait.KERNEL_OF_LEVEL_BELOW) ? level + 1 : level);
            row(blocks, family.has(Trait.RESIDUAL_DECODER), name, layers, up + skip, out, kernel, ONE);
            boolean hasHead = level == 0 || !family.has(Trait.SINGLE_HEAD);
            return new Step(
                    upsampling,
                    new Chain(List.copyOf(blocks)),
                    hasHead ? Optional.of(head(level, out, bias)) : Optional.empty());
        }

        /** Channels of a decoder stage. */
        private long features(int level) {
            return level == 0 && spec.headFeatures() > 0
                    ? spec.headFeatures()
                    : spec.features().get(level);
        }

        private ConvBlock head(int level, long in, boolean bias) {
            String name = family.names().head(level, spec.stages());
            return new ConvBlock(
                    new ConvBlock.Conv(name, in, spec.classes(), ONE, ONE, bias),
                    Optional.empty(),
                    0,
                    Activation.Function.IDENTITY);
        }

        private void row(
                List<Block> blocks,
                boolean residual,
                IntFunction<String> name,
                int layers,
                long in,
                long out,
                Triple kernel,
                Triple stride) {
            for (int i = 0; i < layers; i++) {
                long from = i == 0 ? in : out;
                Triple by = i == 0 ? stride : ONE;
                blocks.add(
                        residual
                                ? residual(name.apply(i), from, out, kernel, by)
                                : conv(name.apply(i), from, out, kernel, by, true));
            }
        }

        private ResidualBlock residual(String name, long in, long out, Triple kernel, Triple stride) {
            boolean pooled = !stride.equals(ONE);
            String skip = name + ".skip." + (pooled ? 1 : 0); // numbers of a sequence that starts with the pool
            return new ResidualBlock(
                    conv(name + ".conv1", in, out, kernel, stride, true),
                    linear(name + ".conv2", out, out, kernel, true, true),
                    in == out ? Optional.empty() : Optional.of(linear(skip, in, out, ONE, false, false)),
                    spec.function());
        }

        private ConvBlock conv(String name, long in, long out, Triple kernel, Triple stride, boolean bias) {
            return new ConvBlock(
                    new ConvBlock.Conv(name + family.names().conv(), in, out, kernel, stride, bias),
                    family.has(Trait.NORM) ? Optional.of(norm(name, false)) : Optional.empty(),
                    (float) spec.dropout(),
                    spec.function());
        }

        /** Convolution and norm without activation. */
        private ConvBlock linear(String name, long in, long out, Triple kernel, boolean bias, boolean endsBranch) {
            return new ConvBlock(
                    new ConvBlock.Conv(name + family.names().conv(), in, out, kernel, ONE, bias),
                    Optional.of(norm(name, endsBranch)),
                    0,
                    Activation.Function.IDENTITY);
        }

        private ConvBlock.Norm norm(String name, boolean endsBranch) {
            return new ConvBlock.Norm(name + family.names().norm(), (float) spec.eps(), endsBranch);
        }
    }
}
