package dev.voxgrad.cli;

import dev.voxgrad.engine.DataException;
import dev.voxgrad.engine.Safetensors;
import dev.voxgrad.engine.image.NiftiHeader;
import dev.voxgrad.engine.image.NiftiImage;
import dev.voxgrad.engine.image.NiftiReader;
import dev.voxgrad.engine.image.NiftiType;
import dev.voxgrad.engine.image.Volume;
import dev.voxgrad.engine.plan.DatasetDescription;
import dev.voxgrad.engine.plan.LabelRegion;
import dev.voxgrad.engine.plan.Plan;
import dev.voxgrad.engine.plan.RawDataset;
import dev.voxgrad.engine.plan.Training;
import dev.voxgrad.engine.train.EpochRecord;
import dev.voxgrad.engine.train.ModelFolder;
import dev.voxgrad.engine.train.TrainingLog;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * What is in a file or folder.
 *
 * @param kind of the thing
 * @param facts names and values in order
 * @param rows a table: tensors, cases or stages of a network; every row has the same keys
 */
record Inspection(String kind, Map<String, Object> facts, List<Map<String, Object>> rows) {
    /**
     * Looks at a NIfTI file, a safetensors file, a plan, a model folder or a data set folder.
     *
     * @throws DataException when it is none of these, or damaged
     */
    static Inspection of(Path path) {
        String name = path.getFileName() == null ? "" : path.getFileName().toString();
        if (Files.isDirectory(path)) {
            return folder(path);
        }
        if (!Files.exists(path)) {
            throw new DataException(path + " does not exist");
        }
        if (name.matches(".*\\.(nii|hdr|img)(\\.gz)?")) {
            return nifti(path);
        }
        if (name.endsWith(".safetensors")) {
            return safetensors(path);
        }
        if (name.endsWith(".json")) {
            return plan("plan", Plan.read(path));
        }
        throw new DataException(
                path + ": not a NIfTI file, safetensors file, plan (.json), model folder or data set folder");
    }

    private static Inspection folder(Path path) {
        ModelFolder model = new ModelFolder(path);
        if (Files.exists(model.plan())) {
            return model(model);
        }
        if (Files.exists(path.resolve(DatasetDescription.FILE_NAME))) {
            return dataset(RawDataset.open(path));
        }
        throw new DataException(path + " has neither plan.json (a model) nor dataset.json (a data set)");
    }

    private static Inspection nifti(Path path) {
        NiftiImage image = NiftiReader.read(path);
        NiftiHeader header = image.header();
        Volume volume = image.volume();
        Map<String, Object> facts = new LinkedHashMap<>();
        facts.put("format", "NIfTI-" + header.version() + ", " + header.order());
        facts.put("voxelType", typeName(header.datatype()));
        facts.put("shapeZyx", list(volume.grid().sizes()));
        facts.put("channels", volume.channels().size());
        facts.put("spacingMmZyx", list(volume.geometry().spacingMm()));
        facts.put("origin", list(volume.geometry().origin()));
        facts.put("direction", list(volume.geometry().direction()));
        facts.put("qformCode", header.qformCode());
        facts.put("sformCode", header.sformCode());
        values(volume, facts);
        facts.put("warnings", image.warnings());
        return new Inspection("image", facts, List.of());
    }

    private static void values(Volume volume, Map<String, Object> facts) {
        double low = Double.POSITIVE_INFINITY;
        double high = Double.NEGATIVE_INFINITY;
        double sum = 0;
        long count = 0;
        for (float[] channel : volume.channels()) {
            for (float value : channel) {
                if (Float.isFinite(value)) {
                    low = Math.min(low, value);
                    high = Math.max(high, value);
                    sum += value;
                    count++;
                }
            }
        }
        if (count > 0) {
            facts.put("minimum", low);
            facts.put("maximum", high);
            facts.put("mean", sum / count);
        }
        facts.put("notFinite", volume.nanCount() + volume.infCount());
    }

    private static String typeName(int code) {
        return Arrays.stream(NiftiType.values())
                .filter(type -> type.code() == code)
                .map(Enum::name)
                .findFirst()
                .orElse("code " + code);
    }

    private static Inspection safetensors(Path path) {
        try (Safetensors file = Safetensors.open(path)) {
            List<Map<String, Object>> rows = new ArrayList<>();
            long weights = 0;
            for (String name : file.names()) {
                Map<String, Object> row = new LinkedHashMap<>();
                row.put("tensor", name);
                row.put("type", file.type(name).toString());
                row.put("shape", file.shape(name));
                rows.add(row);
                boolean isState = name.startsWith("optimizer/");
                weights += isState ? 0 : file.shape(name).stream().reduce(1L, (a, b) -> a * b);
            }
            Map<String, Object> facts = new LinkedHashMap<>();
            facts.put("tensors", rows.size());
            facts.put("weights", weights);
            facts.putAll(file.metadata());
            return new Inspection("tensors", facts, rows);
        }
    }

    private static Inspection plan(String kind, Plan plan) {
        Map<String, Object> facts = new LinkedHashMap<>();
        facts.put("name", plan.name());
        facts.put("channels", plan.channelNames());
        facts.put("normalization", plan.normalization());
        facts.put("labels", plan.labels());
        regions(plan.regions(), facts);
        facts.put("spacingMmZyx", plan.spacingMm());
        facts.put("patchZyx", plan.patchSize());
        facts.put("batchSize", plan.batchSize());
        facts.put("network", plan.network().network());
        facts.put("outputs", plan.outputs().toString());
        facts.put("features", plan.network().features());
        facts.put("kernels", plan.network().kernels());
        facts.put("strides", plan.network().strides());
        facts.putAll(NetworkFacts.of(plan));
        facts.putAll(training(plan.training()));
        return new Inspection(kind, facts, NetworkFacts.stages(plan));
    }

    /** Which channel is which region, and what predict writes for it: their order is easily mistaken. */
    private static void regions(List<LabelRegion> regions, Map<String, Object> facts) {
        Map<String, Object> byName = new LinkedHashMap<>();
        for (LabelRegion region : regions) {
            byName.put(
                    region.name(),
                    "channel " + byName.size() + ", labels " + region.labels() + ", written as " + region.value());
        }
        if (!byName.isEmpty()) {
            facts.put("regions", byName);
        }
    }

    private static Map<String, Object> training(Training training) {
        Map<String, Object> facts = new LinkedHashMap<>();
        facts.put("loss", training.loss());
        facts.put("optimizer", training.optimizer());
        facts.put("learningRate", training.learningRate());
        facts.put("schedule", training.schedule());
        facts.put("weightDecay", training.weightDecay());
        facts.put("gradientClip", training.gradientClip());
        facts.put("weightEma", training.optimization().weightEma());
        facts.put("epochs", training.epochs());
        facts.put("stepsPerEpoch", training.iterationsPerEpoch());
        facts.put("seed", training.seed());
        return facts;
    }

    private static Inspection model(ModelFolder model) {
        Inspection plan = plan("model", model.readPlan());
        List<EpochRecord> log = TrainingLog.read(model.log());
        plan.facts.put("finishedEpochs", log.size());
        log.reversed().stream()
                .map(EpochRecord::trainLoss)
                .filter(Objects::nonNull) // an epoch without a step has none
                .findFirst()
                .ifPresent(loss -> plan.facts.put("lastLoss", loss));
        if (!log.isEmpty()) {
            plan.facts.put(
                    "seconds", log.stream().mapToDouble(EpochRecord::seconds).sum());
        }
        plan.facts.put("finished", Files.exists(model.end()));
        return plan;
    }

    private static Inspection dataset(RawDataset raw) {
        Map<String, Object> facts = new LinkedHashMap<>();
        facts.put("channels", raw.description().channelNames());
        facts.put("labels", raw.description().labels().byName());
        regions(raw.description().labels().regions(), facts);
        facts.put("cases", raw.cases().size());
        facts.put("warnings", raw.warnings());
        List<Map<String, Object>> rows = new ArrayList<>();
        raw.cases().forEach(c -> {
            Map<String, Object> row = new LinkedHashMap<>();
            row.put("case", c.id());
            row.put("images", c.imageFiles().size());
            row.put("labels", c.labelFile().map(f -> f.getFileName().toString()).orElse(""));
            rows.add(row);
        });
        return new Inspection("data set", facts, rows);
    }

    private static List<Object> list(int... values) {
        return List.copyOf(Arrays.stream(values).boxed().toList());
    }

    private static List<Object> list(double... values) {
        return List.copyOf(Arrays.stream(values).boxed().toList());
    }
}
