package dev.voxgrad.losses;

import java.util.Collection;
import java.util.Comparator;
import java.util.Locale;
import java.util.Optional;

/** What somebody meant who made a slip. */
final class Nearest {
    private Nearest() {}

    /** {@code (did you mean NAME?)} for a name that is a slip away, else nothing. */
    static String hint(String wrong, Collection<String> valid) {
        return of(wrong, valid).map(name -> " (did you mean " + name + "?)").orElse("");
    }

    /** The valid name with the fewest edits; none when more than a third of the letters would change. */
    static Optional<String> of(String wrong, Collection<String> valid) {
        return valid.stream()
                .filter(name -> edits(wrong, name) <= Math.max(1, Math.max(wrong.length(), name.length()) / 3))
                .min(Comparator.comparingInt((String name) -> edits(wrong, name))
                        .thenComparing(name -> name));
    }

    /** Levenshtein's distance, case aside. */
    private static int edits(String from, String to) {
        String a = from.toLowerCase(Locale.ROOT);
        String b = to.toLowerCase(Locale.ROOT);
        int[] row = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            row[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int replaced = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(replaced, 1 + Math.min(row[j], row[j - 1]));
            }
        }
        return row[b.length()];
    }
}
