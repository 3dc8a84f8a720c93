package dev.voxgrad.golden;

import java.util.Arrays;
import java.util.Set;
import java.util.stream.Collectors;

/** The categories and cases a run is restricted to; empty means everything. */
record Selection(Set<String> names) {
    static final String PROPERTY = "voxgrad.golden.only";

    static Selection fromProperties() {
        return new Selection(Arrays.stream(System.getProperty(PROPERTY, "").split(","))
                .map(String::strip)
                .filter(name -> !name.isEmpty())
                .collect(Collectors.toUnmodifiableSet()));
    }

    boolean includesCategory(String category) {
        return names.isEmpty()
                || names.stream().anyMatch(name -> name.equals(category) || name.startsWith(category + "/"));
    }

    boolean includes(GoldenCase golden) {
        return names.isEmpty() || names.contains(golden.category()) || names.contains(golden.name());
    }
}
