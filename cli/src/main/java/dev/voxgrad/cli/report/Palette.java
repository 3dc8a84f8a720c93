package dev.voxgrad.cli.report;

import java.awt.Color;

/**
 * Colours of the classes in pictures, curves and tables, as 0xRRGGBB. The first eight are told apart with any kind of colour
 * vision (Okabe and Ito, Color Universal Design, 2008, adapted to a dark background); more classes go around the colour circle.
 */
final class Palette {
    private static final int[] COLOURS = {0xe69f00, 0x56b4e9, 0x00c896, 0xf0519c, 0xf0e442, 0x7a8cff, 0xff6b3d, 0xb6e35a
    };
    /** Neighbours in this sequence of hues lie far apart. */
    private static final double GOLDEN_RATIO = 0.618033988749895;

    private Palette() {}

    /** Of a label from 1 on. */
    static int of(int label) {
        if (label <= COLOURS.length) {
            return COLOURS[label - 1];
        }
        return Color.HSBtoRGB((float) (label * GOLDEN_RATIO % 1), 0.65f, 0.95f) & 0xffffff;
    }

    /** For style sheets, {@code #rrggbb}. */
    static String css(int label) {
        return "#%06x".formatted(of(label));
    }
}
