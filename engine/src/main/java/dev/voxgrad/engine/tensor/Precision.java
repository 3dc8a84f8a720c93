package dev.voxgrad.engine.tensor;

import java.util.Locale;

/** What convolutions may do to numbers; the kinds of {@code vg_precision}, in its order. */
public enum Precision {
    /** Relative error below 1e-6, of the order of a direct sum in float32. */
    DEFAULT,
    /** Larger Winograd tiles where they are faster: relative error 1e-6 to 4e-6, see winograd_fast.cpp. */
    FAST;

    /** As in files and on the command line. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
