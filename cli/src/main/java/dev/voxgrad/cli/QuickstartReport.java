package dev.voxgrad.cli;

import dev.voxgrad.bindings.NativeContext;
import dev.voxgrad.bindings.NativeLibrary;
import dev.voxgrad.cli.data.BrainDataset;
import dev.voxgrad.cli.report.ReportData;
import dev.voxgrad.cli.report.ReportData.CaseResult;
import dev.voxgrad.cli.report.ReportData.Epoch;
import dev.voxgrad.engine.image.NiftiReader;
import dev.voxgrad.engine.metric.CaseScore;
import dev.voxgrad.engine.metric.Region;
import dev.voxgrad.engine.metric.Summary;
import dev.voxgrad.engine.plan.Case;
import dev.voxgrad.engine.plan.LabelNames;
import dev.voxgrad.engine.plan.Plan;
import dev.voxgrad.engine.plan.Training;
import dev.voxgrad.engine.tensor.Device;
import dev.voxgrad.engine.train.EpochRecord;
import dev.voxgrad.engine.train.ModelFolder;
import dev.voxgrad.engine.train.TrainingLog;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a quick start has to tell in its report.
 *
 * @param cases the predicted cases with their images
 * @param summary scores of the same cases in the same order
 * @param machine one line about the device
 */
record QuickstartReport(
        BrainDataset data, ModelFolder model, List<Case> cases, Summary summary, String machine, double seconds) {
    private static final String SUMMARY =
            "A 3D U-Net that was trained on the left hemisphere (mirrored) of one head and tested on the right one,"
                    + " which it never saw. Two hemispheres of one head are not two people: this shows that the pipeline"
                    + " learns, not how good a model is. The pseudo Dice of the curves is measured on patches of the"
                    + " training hemisphere.";

    private static final String PHANTOM =
            "DRAWN DATA: the real scan could not be obtained, a phantom stands in for it. These numbers"
                    + " say nothing about real images.";

    /** One line about a device. */
    static String describe(Device device) {
        NativeContext.Description about = device.describe();
        return "%s: %s, %s, %d threads".formatted(device.name(), about.deviceName(), about.isa(), about.threads());
    }

    /** The report's content; reads the volumes and the training log. */
    ReportData toData() {
        Plan plan = model.readPlan();
        return new ReportData(
                "Brain hemispheres",
                SUMMARY,
                data.real() ? Optional.empty() : Optional.of(PHANTOM),
                facts(plan),
                plan.labelNames().foreground().stream()
                        .map(label -> plan.labelNames().name(label))
                        .toList(),
                TrainingLog.read(model.log()).stream()
                        .map(QuickstartReport::epoch)
                        .toList(),
                caseResults(plan.labelNames()));
    }

    private Map<String, String> facts(Plan plan) {
        Training t = plan.training();
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put("Data", data.source());
        facts.put("Machine", machine);
        facts.put("Time", "%.0f s for everything".formatted(seconds));
        facts.put("voxgrad", Version.text() + ", native library " + NativeLibrary.version());
        facts.put(
                "Java",
                Runtime.version() + " on " + System.getProperty("os.name") + " " + System.getProperty("os.arch"));
        facts.put("Seed", Long.toString(t.seed()));
        facts.put(
                "Network",
                plan.network().network() + ", features " + plan.network().features());
        facts.put("Patch", plan.patchSize() + " voxels (z, y, x), batch of " + plan.batchSize());
        facts.put("Spacing", plan.spacingMm() + " mm (z, y, x)");
        facts.put(
                "Training",
                "%d epochs of %d steps, loss %s, %s at %s"
                        .formatted(t.epochs(), t.iterationsPerEpoch(), t.loss(), t.optimizer(), t.learningRate()));
        return facts;
    }

    private static Epoch epoch(EpochRecord r) {
        return new Epoch(
                r.epoch() + 1,
                number(r.trainLoss()),
                number(r.validationLoss()),
                r.dicePerClass().stream().map(QuickstartReport::number).toList());
    }

    private static Double number(Double value) {
        return value == null ? Double.NaN : value;
    }

    private List<CaseResult> caseResults(LabelNames names) {
        return summary.cases().stream().map(score -> result(score, names)).toList();
    }

    private CaseResult result(CaseScore score, LabelNames names) {
        Case source = cases.stream()
                .filter(c -> c.id().equals(score.files().id()))
                .findFirst()
                .orElseThrow();
        return new CaseResult(
                source.id(),
                Region.foreground(names).stream()
                        .map(region -> score.value(region, "Dice"))
                        .toList(),
                Optional.of(new ReportData.View(
                        NiftiReader.read(source.imageFiles().getFirst()).volume(),
                        NiftiReader.readLabels(score.files().reference()).labels(),
                        NiftiReader.readLabels(score.files().prediction()).labels())));
    }
}
