package dev.voxgrad.engine.plan;

import dev.voxgrad.engine.AtomicFile;
import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.JsonDefault;
import dev.voxgrad.engine.ShapeException;
import dev.voxgrad.engine.nn.NetworkSpec;
import dev.voxgrad.engine.op.Triple;
import dev.voxgrad.engine.tensor.Shape;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;

/**
 * Everything that fixes a training and its predictions, as pure data; the JSON file has the same keys. Axes are z, y, x.
 *
 * @param formatVersion of the file, {@value #FORMAT_VERSION}
 * @param name of the task, for people
 * @param channelNames one per image channel, in the order of the files CASE_0000, CASE_0001, ...
 * @param normalization one per channel: {@code zscore}, {@code zscore-nonzero} or {@code none}
 * @param labels values by name; rules in {@link LabelNames}
 * @param spacingMm voxel spacing that every case is resampled to
 * @param patchSize voxels that the network sees at once
 * @param batchSize patches per training step
 * @param network its sizes
 * @param training how to train it
 * @param outputs what the network's channels stand for; may be left out of the JSON text: softmax
 * @param regions what is segmented instead of single labels; may be left out of the JSON text: none
 */
public record Plan(
        int formatVersion,
        String name,
        List<String> channelNames,
        List<String> normalization,
        Map<String, Integer> labels,
        List<Double> spacingMm,
        List<Integer> patchSize,
        int batchSize,
        NetworkSpec network,
        Training training,
        @JsonDefault("\"softmax\"") Outputs outputs,
        @JsonDefault("[]") List<LabelRegion> regions) {
    /** The version of the file format that this program reads and writes. */
    public static final int FORMAT_VERSION = 1;

    /** Checks the values and that they fit each other. */
    public Plan {
        require(formatVersion == FORMAT_VERSION, "formatVersion", formatVersion, "" + FORMAT_VERSION);
        require(name != null && !name.isBlank(), "name", name, "a short text");
        require(
                channelNames != null && !channelNames.isEmpty(),
                "channelNames",
                channelNames,
                "one name per image channel");
        channelNames = List.copyOf(channelNames);
        require(
                normalization != null && normalization.size() == channelNames.size(),
                "normalization",
                normalization,
                "one of " + Normalization.names() + " for each of the channels " + channelNames);
        normalization = List.copyOf(normalization);
        normalization.forEach(Normalization::of);
        require(labels != null, "labels", null, "names with values, {\"background\": 0, ...}");
        require(
                regions != null && regions.stream().allMatch(Objects::nonNull),
                "regions",
                regions,
                "a list of objects with name, labels and value");
        LabelNames names = new LabelNames(labels, regions);
        labels = Collections.unmodifiableMap(new LinkedHashMap<>(names.byName()));
        regions = names.regions();
        require(
                spacingMm != null && spacingMm.size() == 3 && spacingMm.stream().allMatch(s -> s > 0 && s < 1e4),
                "spacingMm",
                spacingMm,
                "three positive numbers z, y, x in mm");
        spacingMm = List.copyOf(spacingMm);
        require(
                patchSize != null && patchSize.size() == 3 && patchSize.stream().allMatch(s -> s >= 1),
                "patchSize",
                patchSize,
                "three whole numbers z, y, x of at least 1");
        patchSize = List.copyOf(patchSize);
        require(batchSize >= 1, "batchSize", batchSize, "a whole number of at least 1");
        require(network != null, "network", null, "an object");
        require(training != null, "training", null, "an object");
        require(outputs != null, "outputs", null, "softmax or sigmoid");
        require(
                regions.isEmpty() || outputs == Outputs.SIGMOID,
                "outputs",
                outputs,
                "sigmoid, because regions may overlap");
        requireChannels(network, channelNames.size(), outputs, names);
        requirePatch(network, patchSize);
        requireSameDeepSupervision(network, training);
    }

    private static void requireChannels(NetworkSpec network, int channels, Outputs outputs, LabelNames labels) {
        require(
                network.inChannels() == channels,
                "network.inChannels",
                network.inChannels(),
                channels + ", as many as channelNames");
        require(
                network.classes() == outputs.channels(labels),
                "network.classes",
                network.classes(),
                outputs.channels(labels)
                        + (labels.hasRegions()
                                ? ", as many as regions"
                                : ", as many as labels without ignore"
                                        + (outputs == Outputs.SIGMOID
                                                ? " and background, because outputs is sigmoid"
                                                : "")));
    }

    /** The network makes the outputs, the training weighs them: one without the other has no effect. */
    private static void requireSameDeepSupervision(NetworkSpec network, Training training) {
        if (network.deepSupervision() != training.deepSupervision()) {
            throw new ConfigException("training.deepSupervision is " + training.deepSupervision()
                    + ", network.deepSupervision is " + network.deepSupervision() + "; use the same value in both"
                    + (network.singleHead() ? ", false for a " + network.network() : ""));
        }
    }

    private static void requirePatch(NetworkSpec network, List<Integer> patch) {
        try {
            network.requireInput(new Shape(1, patch.get(0), patch.get(1), patch.get(2), network.inChannels()));
        } catch (ShapeException e) {
            throw new ConfigException("patchSize " + patch + " does not fit the network: " + e.getMessage(), e);
        }
    }

    /** The labels with their rules. */
    public LabelNames labelNames() {
        return new LabelNames(labels, regions);
    }

    /** Which label a voxel gets from its logits. */
    public LabelRule labelRule() {
        return new LabelRule(outputs, regions);
    }

    /** The patch size. */
    public Triple patch() {
        return new Triple(patchSize.get(0), patchSize.get(1), patchSize.get(2));
    }

    /** The same plan with other values: {@code with(p -> p.batchSize = 4)}. */
    public Plan with(Consumer<PlanDraft> change) {
        PlanDraft draft = new PlanDraft(this);
        change.accept(draft);
        return draft.checked();
    }

    /** The same plan with other values in its training: {@code withTraining(t -> t.epochs = 3)}. */
    public Plan withTraining(Consumer<TrainingDraft> change) {
        return with(p -> p.training = training.with(change));
    }

    /** The same plan with other outputs; the network gets as many channels as they need. */
    public Plan withOutputs(Outputs other) {
        return with(p -> {
            p.network = network.withClasses(other.channels(labelNames()));
            p.outputs = other;
        });
    }

    /**
     * Reads a plan.
     *
     * @throws ConfigException naming file, key and what is valid there
     */
    public static Plan read(Path file) {
        return Json.read(file, Plan.class);
    }

    /** The plan as JSON text. */
    public String toJson() {
        return Json.write(this);
    }

    /** Writes it to a file, all or nothing. */
    public void write(Path file) {
        AtomicFile.write(file, toJson().getBytes(StandardCharsets.UTF_8));
    }

    private static void require(boolean holds, String key, Object found, String valid) {
        if (!holds) {
            throw new ConfigException(key + " is " + found + "; use " + valid);
        }
    }
}
