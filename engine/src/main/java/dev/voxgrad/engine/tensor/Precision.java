package dev.voxgrad.engine.tensor;

import dev.voxgrad.engine.ConfigException;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** What convolutions may do to numbers; the kinds of {@code vg_precision}, in its order. */
public enum Precision {
    /** As exact as a direct sum in float32. */
    DEFAULT,
    /** Larger Winograd tiles where they are faster: relative error up to 2e-5. */
    FAST;

    /** Its name in files and on the command line. */
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    /**
     * Reads a name.
     *
     * @throws ConfigException listing the names when there is no such precision
     */
    public static Precision of(String word) {
        return Arrays.stream(values())
                .filter(p -> p.word().equals(word))
                .findFirst()
                .orElseThrow(() -> new ConfigException("there is no precision \"" + word + "\"; use " + words()));
    }

    private static String words() {
        List<String> words = Arrays.stream(values()).map(Precision::word).toList();
        return String.join(" or ", words);
    }
}
