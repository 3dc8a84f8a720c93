package dev.voxgrad.golden;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashSet;
import java.util.Set;

/**
 * Operations whose golden cases wait for their implementation: {@code golden/pending.txt} on the class path, one
 * {@code category operation} a line, {@code #} starts a comment. Without the file nothing is pending.
 */
public record Pending(Set<String> entries) {
    /** Reads the list of the module under test. */
    public static Pending load() {
        Set<String> entries = new LinkedHashSet<>();
        try (InputStream in = Pending.class.getResourceAsStream("/golden/pending.txt")) {
            if (in != null) {
                new String(in.readAllBytes(), StandardCharsets.UTF_8)
                        .lines()
                        .map(line -> line.replaceFirst("#.*", "").strip().replaceAll("\\s+", " "))
                        .filter(line -> !line.isEmpty())
                        .forEach(entries::add);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("golden/pending.txt", e);
        }
        return new Pending(Set.copyOf(entries));
    }

    /** Whether an operation of a category may lack a handler. */
    public boolean holds(String category, String op) {
        return entries.contains(category + " " + op);
    }
}
