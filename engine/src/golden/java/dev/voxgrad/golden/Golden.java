package dev.voxgrad.golden;

import dev.voxgrad.engine.DataException;
import java.io.IOException;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DynamicTest;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * The golden cases of one category: numbers computed by the reference implementations, in a folder with a
 * {@code manifest.json} and safetensors files.
 *
 * <p>The folder is {@code golden/CATEGORY} on the class path, or {@code DIR/CATEGORY} with {@code -Dvoxgrad.golden=DIR}.
 * {@code -Dvoxgrad.golden.only=ops,nifti/u8_le.nii} restricts the run to categories or single cases; what is left out
 * shows up as skipped. An operation of the manifest without a handler fails unless {@code golden/pending.txt} names it.
 */
public final class Golden {
    private final String category;
    private final Path folder;
    private final List<GoldenCase> cases;

    private Golden(String category, Path folder, List<GoldenCase> cases) {
        this.category = category;
        this.folder = folder;
        this.cases = cases;
    }

    /** Runs one case; throws to fail it. */
    @FunctionalInterface
    public interface Handler {
        /** Computes what the case asks for and compares it through the checks of the case. */
        void check(GoldenCase golden) throws Exception;
    }

    /** Loads the manifest of a category; one without cases is a failure. */
    public static Golden category(String category) {
        if (!Selection.fromProperties().includesCategory(category)) {
            return new Golden(category, Path.of(category), List.of()); // its folder may not even be there
        }
        Path folder = folder(category);
        Path manifest = folder.resolve("manifest.json");
        List<GoldenCase> cases = new ArrayList<>();
        try {
            for (JsonNode node :
                    JsonMapper.shared().readTree(Files.readAllBytes(manifest)).path("cases")) {
                cases.add(new GoldenCase(category, folder, node));
            }
        } catch (IOException | JacksonException e) {
            throw new DataException(manifest + ": cannot read the golden manifest (" + e.getMessage() + ")", e);
        }
        Assertions.assertFalse(cases.isEmpty(), manifest + ": the manifest lists no cases");
        return new Golden(category, folder, List.copyOf(cases));
    }

    /** Every case of the manifest, in its order, whatever is selected. */
    public List<GoldenCase> cases() {
        return cases;
    }

    /** The cases of one operation (or group); an unknown one is a failure. */
    public List<GoldenCase> cases(String op) {
        List<GoldenCase> found = cases.stream().filter(c -> c.op().equals(op)).toList();
        Assertions.assertFalse(found.isEmpty(), folder + ": no case has the operation " + op);
        return found;
    }

    /** How many cases each operation (or group) has, in the order of the manifest. */
    public Map<String, Integer> operations() {
        Map<String, Integer> counts = new LinkedHashMap<>();
        cases.forEach(c -> counts.merge(c.op(), 1, Integer::sum));
        return counts;
    }

    /**
     * One test per case, for a {@code @TestFactory}. Give the handlers of all operations of the category that exist;
     * an operation that is pending is one skipped test, one that is neither handled nor pending is one failing test,
     * and so is a pending entry that has a handler by now.
     */
    public Stream<DynamicTest> tests(Map<String, Handler> handlers) {
        Selection selection = Selection.fromProperties();
        if (!selection.includesCategory(category)) {
            return Stream.of(
                    skipped(category, "golden category " + category + " is left out by " + Selection.PROPERTY));
        }
        Pending pending = Pending.load();
        List<DynamicTest> tests = new ArrayList<>();
        handlers.keySet().stream()
                .filter(op -> !operations().containsKey(op))
                .forEach(op -> tests.add(absent(op, folder + " has no case of " + op)));
        operations()
                .forEach((op, count) ->
                        tests.addAll(testsOf(op, count, handlers.get(op), pending.holds(category, op), selection)));
        return tests.stream();
    }

    /** One test per case of one operation that passes a filter; other tests see to the rest of the category. */
    public Stream<DynamicTest> tests(String op, Predicate<GoldenCase> filter, Handler handler) {
        Selection selection = Selection.fromProperties();
        if (!selection.includesCategory(category)) {
            return Stream.of(
                    skipped(category, "golden category " + category + " is left out by " + Selection.PROPERTY));
        }
        List<GoldenCase> found =
                cases.stream().filter(c -> c.op().equals(op)).filter(filter).toList();
        if (found.isEmpty()) {
            return Stream.of(absent(op, folder + ": no case of " + op + " passes the filter of this test"));
        }
        return found.stream()
                .map(c -> selection.includesCategory(category) && selection.includes(c)
                        ? DynamicTest.dynamicTest(c.name(), () -> handler.check(c))
                        : skipped(c.name(), c.name() + " is left out by " + Selection.PROPERTY));
    }

    private List<DynamicTest> testsOf(String op, int count, Handler handler, boolean pending, Selection selection) {
        String what = "golden/" + category + " " + op + " (" + count + " cases)";
        if (handler == null && pending) {
            System.out.println("pending: " + what);
            return List.of(skipped(op, what + " is pending: not implemented yet"));
        }
        if (handler == null) {
            return List.of(failing(op, what + " has no handler and is not in golden/pending.txt"));
        }
        if (pending) {
            return List.of(failing(op, what + " has a handler; remove its line from golden/pending.txt"));
        }
        return cases(op).stream()
                .filter(selection::includes)
                .map(c -> DynamicTest.dynamicTest(c.name(), () -> handler.check(c)))
                .toList();
    }

    /** The project's own data must have every operation; another folder may have fewer, which is said. */
    private static DynamicTest absent(String name, String reason) {
        return System.getProperty("voxgrad.golden", "").isBlank() ? failing(name, reason) : skipped(name, reason);
    }

    private static DynamicTest skipped(String name, String reason) {
        return DynamicTest.dynamicTest(name, () -> Assumptions.abort(reason));
    }

    private static DynamicTest failing(String name, String reason) {
        return DynamicTest.dynamicTest(name, () -> Assertions.fail(reason));
    }

    /** A folder of golden data by name, also one without a manifest. */
    public static Path folder(String category) {
        String override = System.getProperty("voxgrad.golden", "");
        if (!override.isBlank()) {
            // Relative to the project's root, where the user types the command, not to the module that tests run in.
            return Path.of(System.getProperty("voxgrad.root", "."))
                    .toAbsolutePath()
                    .resolve(override)
                    .resolve(category);
        }
        URL url = Golden.class.getResource("/golden/" + category);
        if (url == null) {
            throw new DataException("golden/" + category + " is not on the class path; copy it to src/test/resources or"
                    + " give its parent folder with -Dvoxgrad.golden=DIR");
        }
        try {
            return Path.of(url.toURI());
        } catch (URISyntaxException e) {
            throw new DataException(url + ": is not a folder", e);
        }
    }
}
