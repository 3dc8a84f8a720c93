package dev.voxgrad.cli;

import dev.voxgrad.engine.metric.Bootstrap;
import dev.voxgrad.engine.metric.EmptyCases;
import dev.voxgrad.engine.metric.Surface;
import dev.voxgrad.engine.tensor.Precision;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads an enum by the words that help, documentation and files use for it: its names in lower case. Upper case is taken, too. */
record EnumWords<E extends Enum<E>>(Class<E> type, char separator) implements ITypeConverter<E> {
    /** Without this, messages about a wrong word would list the names of Java constants. */
    static void register(CommandLine line) {
        register(line, Surface.class, '_'); // as the names of metrics, which it goes with
        register(line, EmptyCases.class, '-');
        register(line, Bootstrap.Method.class, '-');
        register(line, ProfileOptions.By.class, '-');
        register(line, ProfilePreset.class, '-');
        register(line, Precision.class, '-');
    }

    private static <E extends Enum<E>> void register(CommandLine line, Class<E> type, char separator) {
        line.registerConverter(type, new EnumWords<>(type, separator));
    }

    private String word(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT).replace('_', separator);
    }

    @Override
    public E convert(String value) {
        E[] constants = type.getEnumConstants();
        List<String> words = Arrays.stream(constants).map(this::word).toList();
        int index = words.indexOf(value.toLowerCase(Locale.ROOT));
        if (index < 0) {
            throw new TypeConversionException("\"" + value + "\" is none of " + String.join(", ", words));
        }
        return constants[index];
    }
}
