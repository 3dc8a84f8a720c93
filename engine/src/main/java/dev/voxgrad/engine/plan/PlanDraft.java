package dev.voxgrad.engine.plan;

import dev.voxgrad.engine.nn.NetworkSpec;
import java.util.List;
import java.util.Map;

/** The values of a {@link Plan} while {@link Plan#with} changes them: a field for each component, checked all together at the end. */
public final class PlanDraft {
    public int formatVersion;
    public String name;
    public List<String> channelNames;
    public List<String> normalization;
    public Map<String, Integer> labels;
    public List<Double> spacingMm;
    public List<Integer> patchSize;
    public int batchSize;
    public NetworkSpec network;
    public Training training;
    public Outputs outputs;
    public List<LabelRegion> regions;

    PlanDraft(Plan plan) {
        formatVersion = plan.formatVersion();
        name = plan.name();
        channelNames = plan.channelNames();
        normalization = plan.normalization();
        labels = plan.labels();
        spacingMm = plan.spacingMm();
        patchSize = plan.patchSize();
        batchSize = plan.batchSize();
        network = plan.network();
        training = plan.training();
        outputs = plan.outputs();
        regions = plan.regions();
    }

    Plan checked() {
        return new Plan(
                formatVersion,
                name,
                channelNames,
                normalization,
                labels,
                spacingMm,
                patchSize,
                batchSize,
                network,
                training,
                outputs,
                regions);
    }
}
