package dev.voxgrad.engine.nn;

/**
 * How a family of networks names its layers: texts with places for numbers. {@code {level}} counts resolutions from the full one,
 * {@code {below}} is the level below, {@code {step}} counts decoder stages from the lowest resolution; {@code {layer}} and
 * {@code {layer1}} count the layers of a stage from 0 and from 1. {@code {group}.blocks.{member}} splits a stage into all layers but
 * the last (group 0) and the last (group 1).
 *
 * @param first layers of the encoder at full resolution
 * @param encoder layers of the encoder in between
 * @param bottleneck layers of the lowest resolution
 * @param decoder layers of the decoder
 * @param up transposed convolutions
 * @param head last convolutions
 * @param conv what follows for the convolution of a layer
 * @param norm what follows for the norm of a layer
 */
record Names(
        String first,
        String encoder,
        String bottleneck,
        String decoder,
        String up,
        String head,
        String conv,
        String norm) {
    /** Names of a family that treats all stages of the encoder alike. */
    static Names uniform(String encoder, String decoder, String up, String head, String conv, String norm) {
        return new Names(encoder, encoder, encoder, decoder, up, head, conv, norm);
    }

    /** A layer of the encoder. */
    String encoder(int level, int levels, int layer, int layers) {
        String template = level == 0 ? first : level == levels - 1 ? bottleneck : encoder;
        return fill(template, level, levels, layer, layers);
    }

    /** A layer of the decoder. */
    String decoder(int level, int levels, int layer, int layers) {
        return fill(decoder, level, levels, layer, layers);
    }

    /** The transposed convolution that ends at a level. */
    String up(int level, int levels) {
        return fill(up, level, levels, 0, 1);
    }

    /** The head of a level. */
    String head(int level, int levels) {
        return fill(head, level, levels, 0, 1);
    }

    private static String fill(String template, int level, int levels, int layer, int layers) {
        boolean last = layer == layers - 1;
        return template.replace("{level}", Integer.toString(level))
                .replace("{below}", Integer.toString(level + 1))
                .replace("{step}", Integer.toString(levels - 2 - level))
                .replace("{layer}", Integer.toString(layer))
                .replace("{layer1}", Integer.toString(layer + 1))
                .replace("{group}", last ? "1" : "0")
                .replace("{member}", Integer.toString(last ? 0 : layer));
    }
}
