package dev.voxgrad.losses;

import dev.voxgrad.engine.ConfigException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import java.util.SortedMap;
import java.util.TreeMap;

/** The losses that a text may name. */
final class Catalog {
    private static final String NAME = "[A-Za-z_]\\w*";

    private final SortedMap<String, LossFactory> factories;

    /**
     * A catalog of some factories.
     *
     * @throws ConfigException when two have the same name, or one has a name that text cannot hold
     */
    Catalog(Collection<LossFactory> factories) {
        SortedMap<String, LossFactory> byName = new TreeMap<>();
        for (LossFactory factory : factories) {
            String name = factory.name();
            if (!name.matches(NAME)) {
                throw new ConfigException("the loss " + origin(factory) + " has the name \"" + name
                        + "\"; use letters, digits and _, not starting with a digit");
            }
            LossFactory other = byName.putIfAbsent(name, factory);
            if (other != null) {
                throw new ConfigException("two losses have the name \"" + name + "\": " + origin(other) + " and "
                        + origin(factory) + "; rename yours, or take it off the class path");
            }
        }
        this.factories = Collections.unmodifiableSortedMap(byName);
    }

    /** The built-in losses and those on the class path. */
    static Catalog withClassPath(List<LossFactory> builtIn, ClassLoader classes) {
        List<LossFactory> all = new ArrayList<>(builtIn);
        try {
            ServiceLoader.load(LossFactory.class, classes).forEach(all::add);
        } catch (ServiceConfigurationError e) {
            throw new ConfigException(
                    "a loss on the class path cannot be used: " + e.getMessage()
                            + (e.getCause() == null ? "" : " (" + e.getCause() + ")")
                            + "; see docs/adding-a-loss.md",
                    e);
        }
        return new Catalog(all);
    }

    private static String origin(LossFactory factory) {
        return factory instanceof FunctionFactory
                ? "a built-in one"
                : factory.getClass().getName();
    }

    SortedMap<String, LossFactory> factories() {
        return factories;
    }

    Optional<LossFactory> find(String name) {
        return Optional.ofNullable(factories.get(name));
    }

    /** The factory of a loss in a text; an unknown name is an error that points at it. */
    LossFactory factory(String text, Syntax.Call call) {
        return find(call.name())
                .orElseThrow(() -> LossText.error(
                        text,
                        call.position(),
                        "unknown loss \"" + call.name() + "\"" + Nearest.hint(call.name(), factories.keySet())
                                + "; valid names are " + list()));
    }

    /** All names with commas between them. */
    String list() {
        return String.join(", ", factories.keySet());
    }
}
