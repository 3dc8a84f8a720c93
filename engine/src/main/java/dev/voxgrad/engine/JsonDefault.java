package dev.voxgrad.engine;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Marks a key of a JSON file that may be left out, for keys that came after the first files were written: old files stay readable,
 * and a value that is the default is not written, so they keep their bytes too. See {@link JsonDefaults}.
 */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.RECORD_COMPONENT)
public @interface JsonDefault {
    /** The value of a missing key as the JSON text that is written for it: {@code 0.0} for a double, {@code "text"} with quotes. */
    String value();
}
