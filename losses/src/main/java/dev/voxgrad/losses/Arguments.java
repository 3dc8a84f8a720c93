package dev.voxgrad.losses;

import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.op.SegLoss.Nonlinearity;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The arguments of one loss in loss text. The loss asks for each one by name, type and default; what it never asked for is an unknown
 * argument. An argument that is also asked for by index may be written without its name, at that place. All methods throw
 * {@link ConfigException} with the text and a caret under the place when a value is of another type.
 */
public final class Arguments {
    private final LossBuilder builder;
    private final Syntax.Call call;
    private final Map<String, Syntax.Argument> byName = new LinkedHashMap<>();
    private final List<Syntax.Argument> byIndex;
    private final Map<Integer, String> askedIndices = new LinkedHashMap<>();
    private final TreeSet<String> asked = new TreeSet<>();

    Arguments(LossBuilder builder, Syntax.Call call) {
        this.builder = builder;
        this.call = call;
        this.byIndex = call.arguments().stream().filter(a -> a.name().isEmpty()).toList();
        for (Syntax.Argument argument : call.arguments()) {
            if (!argument.name().isEmpty() && byName.putIfAbsent(argument.name(), argument) != null) {
                throw error(argument.position(), argument.name() + " is given twice");
            }
        }
    }

    /** The name in the text, for messages: one term may have several. */
    public String lossName() {
        return call.name();
    }

    /** What the text is read for: classes, ignore label, counts of the training labels. */
    public LossContext context() {
        return builder.context();
    }

    /**
     * The probabilities of a loss that knows both: the argument {@code sigmoid}, true or false. Its default is true when a loss
     * anywhere in the text is for sigmoid alone or says {@code sigmoid=true}.
     */
    public Nonlinearity nonlinearity() {
        return flag("sigmoid", builder.sigmoid()) ? Nonlinearity.SIGMOID : Nonlinearity.SOFTMAX;
    }

    /** A number, for example {@code smooth=1e-5}. */
    public double number(String name, double standard) {
        return find(name).map(this::readNumber).orElse(standard);
    }

    /** A number with or without its name, for example the 0.1 of {@code topk(0.1)}. */
    public double positional(int index, String name, double standard) {
        return find(index, name).map(this::readNumber).orElse(standard);
    }

    /** A word with or without its name: one of the constants of an enum in lower case. */
    public <E extends Enum<E>> E positional(int index, String name, E standard) {
        return find(index, name).map(argument -> readWord(argument, standard)).orElse(standard);
    }

    /** A whole number. */
    public int integer(String name, int standard) {
        return find(name)
                .map(argument -> {
                    double value = readNumber(argument);
                    if (value != (int) value) {
                        throw expected(argument, "a whole number");
                    }
                    return (int) value;
                })
                .orElse(standard);
    }

    /** {@code true} or {@code false}. */
    public boolean flag(String name, boolean standard) {
        return find(name)
                .map(argument -> switch (argument.source()) {
                    case "true" -> true;
                    case "false" -> false;
                    default -> throw expected(argument, "true or false");
                })
                .orElse(standard);
    }

    /** Numbers in brackets, for example {@code weights=[1, 2.5]}; none when not given. */
    public List<Double> numbers(String name) {
        return find(name)
                .map(argument -> {
                    if (argument.value() instanceof Syntax.Numbers numbers) {
                        return numbers.values();
                    }
                    throw expected(argument, "a list such as [1, 2.5]");
                })
                .orElse(List.of());
    }

    /** One of the constants of an enum in lower case. */
    public <E extends Enum<E>> E choice(String name, E standard) {
        return find(name).map(argument -> readWord(argument, standard)).orElse(standard);
    }

    /**
     * Class weights: a list, {@code median_frequency} or {@code inverse_frequency}; none when not given.
     *
     * @throws ConfigException also when a rule is asked for and the context has no counts
     */
    public ClassWeights weights(String name) {
        return find(name).map(this::readWeights).orElse(ClassWeights.NONE);
    }

    /** Class weights that follow a rule when they are not given. */
    public ClassWeights weights(String name, ClassWeights.Rule standard) {
        return find(name).map(this::readWeights).orElseGet(() -> byRule(standard, call.position(), name));
    }

    private ClassWeights readWeights(Syntax.Argument argument) {
        if (argument.value() instanceof Syntax.Numbers numbers) {
            return ClassWeights.of(numbers.values());
        }
        ClassWeights.Rule rule = Stream.of(ClassWeights.Rule.MEDIAN_FREQUENCY, ClassWeights.Rule.INVERSE_FREQUENCY)
                .filter(r -> TermText.word(r).equals(argument.source()))
                .findFirst()
                .orElseThrow(
                        () -> expected(argument, "a list such as [1, 2.5], median_frequency or inverse_frequency"));
        return byRule(rule, argument.value().position(), argument.name());
    }

    private ClassWeights byRule(ClassWeights.Rule rule, int position, String name) {
        LabelCounts counts = context()
                .counts()
                .orElseGet(() -> builder.withoutCounts(error(
                        position,
                        name + "=" + TermText.word(rule)
                                + " needs training labels, and there are none here; give a list")));
        return ClassWeights.of(rule, counts);
    }

    /** The loss, or weighted sum of losses, that must be written at a place, for example in {@code blob(dice + bce)}. */
    public Sum loss(int index) {
        List<Sum> chain = losses(index);
        if (chain.size() > 1) {
            throw error(byIndex.get(index).position(), "an arrow belongs into schedule(...)");
        }
        return chain.getFirst();
    }

    /** One or more losses with arrows between them, that must be written at a place. */
    List<Sum> losses(int index) {
        askedIndices.put(index, "loss");
        if (index >= byIndex.size()) {
            throw error(call.position(), "expected a loss in parentheses, as in " + call.name() + "(dice)");
        }
        Syntax.Argument argument = byIndex.get(index);
        return switch (argument.value()) {
            case Syntax.Chain chain -> chain.stages().stream().map(builder::sum).toList();
            case Syntax.Word word -> List.of(builder.sum(word.loss().stages().getFirst()));
            default -> throw error(argument.position(), "\"" + argument.source() + "\" is not a loss");
        };
    }

    /** The value of an argument as it was read. */
    Optional<Syntax> value(String name) {
        return find(name).map(Syntax.Argument::value);
    }

    /**
     * An error about the value of an argument, for a range that a loss asks for. Throw it.
     *
     * @param message what is wrong and what is right
     */
    public ConfigException error(String name, String message) {
        Syntax.Argument given = byName.get(name);
        for (Map.Entry<Integer, String> entry : askedIndices.entrySet()) {
            if (given == null && entry.getValue().equals(name) && entry.getKey() < byIndex.size()) {
                given = byIndex.get(entry.getKey());
            }
        }
        return error(given == null ? call.position() : given.value().position(), message);
    }

    private ConfigException error(int position, String message) {
        return LossText.error(builder.text(), position, call.name() + ": " + message);
    }

    private ConfigException expected(Syntax.Argument argument, String expected) {
        String name = argument.name().isEmpty() ? askedIndices.get(byIndex.indexOf(argument)) : argument.name();
        return error(argument.value().position(), name + " is \"" + argument.source() + "\", expected " + expected);
    }

    /** Fails if an argument was given that the loss did not ask for. */
    void requireAllAsked() {
        String all = asked.isEmpty() ? "it has none" : "it has " + String.join(", ", asked);
        byName.forEach((name, argument) -> {
            if (!asked.contains(name)) {
                throw LossText.error(
                        builder.text(),
                        argument.position(),
                        call.name() + " has no argument \"" + name + "\"" + Nearest.hint(name, asked) + "; " + all);
            }
        });
        for (int i = 0; i < byIndex.size(); i++) {
            if (!askedIndices.containsKey(i)) {
                Syntax.Argument argument = byIndex.get(i);
                boolean isName = asked.contains(argument.source());
                throw LossText.error(
                        builder.text(),
                        argument.position(),
                        isName
                                ? call.name() + ": expected = and a value after " + argument.source()
                                : call.name() + " takes no value \"" + argument.source() + "\" at this place; " + all);
            }
        }
    }

    private Optional<Syntax.Argument> find(String name) {
        asked.add(name);
        return Optional.ofNullable(byName.get(name));
    }

    private Optional<Syntax.Argument> find(int index, String name) {
        askedIndices.put(index, name);
        Optional<Syntax.Argument> named = find(name);
        if (index >= byIndex.size()) {
            return named;
        }
        named.ifPresent(argument -> {
            throw error(argument.position(), name + " is given twice, the first time without its name");
        });
        return Optional.of(byIndex.get(index));
    }

    private double readNumber(Syntax.Argument argument) {
        if (argument.value() instanceof Syntax.Number number) {
            return number.value();
        }
        throw expected(argument, "a number");
    }

    private <E extends Enum<E>> E readWord(Syntax.Argument argument, E standard) {
        List<E> constants = Arrays.asList(standard.getDeclaringClass().getEnumConstants());
        return constants.stream()
                .filter(constant -> TermText.word(constant).equals(argument.source()))
                .findFirst()
                .orElseThrow(() -> expected(
                        argument, constants.stream().map(TermText::word).collect(Collectors.joining(" or "))));
    }
}
