package dev.voxgrad.losses;

import dev.voxgrad.engine.ConfigException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Makes terms of loss text. Whether the text speaks of sigmoid probabilities is known before the first term is made: it does when
 * any loss in it, at whatever depth, is for them only or says {@code sigmoid=true}. Then the losses that can be both take sigmoid as
 * their default, so that {@code dice + bce} is what it looks like.
 */
final class LossBuilder {
    private final String text;
    private final Catalog catalog;
    private final LossContext context;
    private final boolean sigmoid;
    private Optional<ConfigException> missing = Optional.empty();

    private LossBuilder(String text, Catalog catalog, LossContext context, boolean sigmoid) {
        this.text = text;
        this.catalog = catalog;
        this.context = context;
        this.sigmoid = sigmoid;
    }

    /** Reads text and builds the sum it says. */
    static Sum build(String text, Catalog catalog, LossContext context) {
        Syntax.Total total = LossText.read(text, catalog.list());
        boolean sigmoid = speaksOfSigmoid(total, text, catalog);
        LossBuilder builder = new LossBuilder(text, catalog, context, sigmoid);
        Sum sum = builder.sum(total);
        if (builder.missing.isPresent()) {
            throw builder.missing.get();
        }
        return sum;
    }

    /** Whether text speaks of sigmoid probabilities. */
    static boolean isSigmoid(String text, Catalog catalog) {
        return speaksOfSigmoid(LossText.read(text, catalog.list()), text, catalog);
    }

    private static boolean speaksOfSigmoid(Syntax syntax, String text, Catalog catalog) {
        return switch (syntax) {
            case Syntax.Total total ->
                total.parts().stream().anyMatch(part -> speaksOfSigmoid(part.factor(), text, catalog));
            case Syntax.Chain chain -> chain.stages().stream().anyMatch(stage -> speaksOfSigmoid(stage, text, catalog));
            case Syntax.Call call ->
                catalog.factory(text, call).sigmoidOnly()
                        || call.arguments().stream().anyMatch(a -> speaksOfSigmoid(a, text, catalog));
            case Syntax.Argument argument ->
                argument.name().equals("sigmoid")
                        ? argument.source().equals("true")
                        : speaksOfSigmoid(argument.value(), text, catalog);
            case Syntax.Word word ->
                catalog.find(word.name()).map(LossFactory::sigmoidOnly).orElse(false);
            default -> false; // numbers
        };
    }

    /**
     * The terms of a loss that is an argument of another one, or the whole text.
     *
     * @throws ConfigException also when all weights are 0, which would train nothing
     */
    Sum sum(Syntax.Total total) {
        Sum sum = terms(total);
        if (sum.evaluated().isEmpty()) {
            throw LossText.error(text, total.position(), "all weights are 0, which trains nothing; give one above 0");
        }
        return sum;
    }

    private Sum terms(Syntax.Total total) {
        List<Sum.Part> parts = new ArrayList<>();
        for (Syntax.Part part : total.parts()) {
            Term term = part.factor() instanceof Syntax.Total inner ? terms(inner) : term((Syntax.Call) part.factor());
            parts.add(located(part.position(), () -> new Sum.Part(part.weight(), term)));
        }
        return located(total.position(), () -> new Sum(parts));
    }

    private Term term(Syntax.Call call) {
        LossFactory factory = catalog.factory(text, call);
        Arguments arguments = new Arguments(this, call);
        return located(call.position(), () -> {
            Term made = factory.parse(arguments);
            arguments.requireAllAsked();
            made.requireClasses(context.classes());
            return made;
        });
    }

    /**
     * Counts to go on with where there are none. The error is thrown when the rest of the text turns out to be right: a loss that
     * cannot be used with any counts should say so first.
     */
    LabelCounts withoutCounts(ConfigException error) {
        missing = missing.or(() -> Optional.of(error));
        return LabelCounts.equal(context.classes());
    }

    String text() {
        return text;
    }

    LossContext context() {
        return context;
    }

    boolean sigmoid() {
        return sigmoid;
    }

    /** Runs a step; a message without a place in the text gets one. */
    private <T> T located(int position, Supplier<T> step) {
        try {
            return step.get();
        } catch (ConfigException e) {
            if (e.getMessage().contains("\n")) {
                throw e;
            }
            throw new ConfigException(LossText.message(text, position, e.getMessage()), e);
        }
    }
}
