package dev.voxgrad.golden;

import dev.voxgrad.engine.DataException;
import dev.voxgrad.engine.Safetensors;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Assertions;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.MissingNode;

/**
 * One golden case. Two manifest formats exist. In the engine's (losses, ops, networks, optimizers, metrics) a tensor key
 * is the name in the case's own file ({@code in/x}, {@code out/y}, {@code grad/weight}) and each has its tolerance. In the
 * pipeline's (pipeline, nifti) keys are {@code inputs/NAME} and {@code outputs/NAME}, which refer to tensors of shared
 * files, and one tolerance serves the case.
 */
public final class GoldenCase {
    /** The manifests' rule for scalars without one of their own. */
    private static final Tolerance SCALARS = new Tolerance(1e-6, 1e-5, Double.POSITIVE_INFINITY, 0);

    private final String category;
    private final Path folder;
    private final JsonNode node;
    private final String device;
    private final boolean tf32;

    GoldenCase(String category, Path folder, JsonNode node) {
        this(category, folder, node, "", false);
    }

    private GoldenCase(String category, Path folder, JsonNode node, String device, boolean tf32) {
        this.category = category;
        this.folder = folder;
        this.node = node;
        this.device = device;
        this.tf32 = tf32;
    }

    /** The same case with a device named in its failures. */
    public GoldenCase on(String device) {
        return new GoldenCase(category, folder, node, device, tf32);
    }

    /** Whether a looser rule for 10-bit mantissa products is given. */
    public boolean hasTf32Tolerances() {
        return node.has("tol_tf32");
    }

    /** The same case judged by that rule. */
    public GoldenCase withTf32Tolerances() {
        return new GoldenCase(category, folder, node, device, true);
    }

    /** The category this case belongs to. */
    public String category() {
        return category;
    }

    /** The identifier in the manifest. */
    public String id() {
        return node.path("id").asString();
    }

    /** {@code category/id}, which {@code -Dvoxgrad.golden.only} takes. */
    public String name() {
        return id().startsWith(category + "/") ? id() : category + "/" + id();
    }

    /** The operation, or in the pipeline's format the group: the part of the id before the last slash. */
    public String op() {
        if (node.has("op")) {
            return node.path("op").asString();
        }
        String[] parts = id().split("/", -1);
        return parts.length > 1 ? parts[parts.length - 2] : category;
    }

    /** The arguments of the operation. */
    public JsonNode params() {
        return node.path("params");
    }

    /** Expected numbers and small tables, pipeline format. */
    public JsonNode expect() {
        return node.path("expect");
    }

    /** The whole manifest entry. */
    public JsonNode json() {
        return node;
    }

    /** A file of the category's folder. */
    public Path file(String fileName) {
        return folder.resolve(fileName);
    }

    /** Tensor keys in the order of the manifest. */
    public Set<String> keys() {
        Set<String> keys = new LinkedHashSet<>(node.path("tensors").propertyNames());
        for (String section : new String[] {"inputs", "outputs"}) {
            node.path(section).propertyNames().forEach(key -> keys.add(section + "/" + key));
        }
        return keys;
    }

    /** Whether a tensor key exists. */
    public boolean has(String key) {
        return keys().contains(key);
    }

    /** Loads a tensor by its key. */
    public GoldenTensor tensor(String key) {
        String reference = reference(key);
        String tensor = reference.substring(reference.indexOf('#') + 1);
        try (Safetensors file = Safetensors.open(dataFile(key))) {
            int[] shape = file.shape(tensor).stream().mapToInt(Math::toIntExact).toArray();
            return new GoldenTensor(file.type(tensor), shape, file.f64(tensor));
        }
    }

    /** The file a tensor key lives in. */
    public Path dataFile(String key) {
        String reference = reference(key);
        return file(reference.substring(0, reference.indexOf('#')));
    }

    private String reference(String key) {
        if (node.path("tensors").has(key)) {
            return node.path("file").asString() + "#" + key;
        }
        String[] parts = key.split("/", 2);
        JsonNode text = parts.length == 2 ? node.path(parts[0]).path(parts[1]) : MissingNode.getInstance();
        if (!text.isString() || !text.asString().contains("#")) {
            throw new DataException(name() + ": has no tensor " + key + "; it has " + keys());
        }
        return text.asString();
    }

    /** An expected scalar; the texts nan, inf and -inf stand for those values. */
    public double scalar(String key) {
        return number(node.path("scalars").path(key), key);
    }

    /** Reads a number of this manifest, which writes NaN and infinities as texts. */
    public double number(JsonNode value, String key) {
        if (value.isNumber()) {
            return value.asDouble();
        }
        return switch (value.asString("")) {
            case "nan", "NaN" -> Double.NaN;
            case "inf", "Infinity" -> Double.POSITIVE_INFINITY;
            case "-inf", "-Infinity" -> Double.NEGATIVE_INFINITY;
            default -> throw new DataException(name() + ": '" + key + "' is not a number: " + value);
        };
    }

    /** The tolerance of a tensor key, or of {@code scalars}. */
    public Tolerance tolerance(String key) {
        if (node.has("tol")) {
            return Tolerance.parse(node.path("tol"));
        }
        JsonNode loose = tf32 ? node.path("tol_tf32").path(key) : MissingNode.getInstance();
        JsonNode found = loose.isMissingNode() ? node.path("tolerances").path(key) : loose;
        if (found.isMissingNode() && key.equals("scalars")) {
            return SCALARS;
        }
        if (found.isMissingNode()) {
            throw new DataException(name() + ": the manifest gives no tolerance for " + key);
        }
        return Tolerance.parse(found);
    }

    /** Compares floats, row-major, with the tensor {@code key} under its tolerance. */
    public void check(String key, float[] actual) {
        check(key, IntStream.range(0, actual.length).mapToDouble(i -> actual[i]).toArray());
    }

    /** Compares label numbers, row-major, with the tensor {@code key} under its tolerance. */
    public void check(String key, int[] actual) {
        check(key, Arrays.stream(actual).asDoubleStream().toArray());
    }

    /** Compares doubles, row-major, with the tensor {@code key} under its tolerance. */
    public void check(String key, double[] actual) {
        check(key, tensor(key), actual, tolerance(key));
    }

    /** Compares with an expectation and a tolerance of the caller's; {@code key} names them in the failure. */
    public void check(String key, GoldenTensor expected, double[] actual, Tolerance tolerance) {
        String complaint = Comparison.complaint(expected, actual, tolerance);
        if (!complaint.isEmpty()) {
            fail(key, complaint);
        }
    }

    /** Compares an expected scalar under the tolerance of {@code scalars}. */
    public void checkScalar(String key, double actual) {
        checkNumber(key, scalar(key), actual, tolerance("scalars"));
    }

    /** Compares one number; {@code key} names it in the failure. */
    public void checkNumber(String key, double expected, double actual, Tolerance tolerance) {
        if (!tolerance.accepts(expected, actual)) {
            fail(key, "expected " + expected + ", got " + actual + " (" + tolerance + ")");
        }
    }

    /** Fails this case with the command that reruns it. */
    public void fail(String key, String complaint) {
        Path module = Path.of(System.getProperty("basedir", "engine")).getFileName();
        Assertions.fail(name() + " " + key + (device.isEmpty() ? "" : " on " + device) + ": " + complaint
                + "\nrerun: mvn -pl " + module + " -am verify -Dtest='*GoldenTest' -D" + Selection.PROPERTY + "="
                + name());
    }

    @Override
    public String toString() {
        return name();
    }
}
