package dev.voxgrad.cli;

import dev.voxgrad.engine.nn.NetworkCost;
import dev.voxgrad.engine.plan.Plan;
import dev.voxgrad.engine.tensor.Shape;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Size and cost of a plan's network, for people. */
final class NetworkFacts {
    private static final double GIGA = 1e9;

    private NetworkFacts() {}

    /** Parameters, multiply-adds and operations of one patch forward, operations of a training step with the whole batch. */
    static Map<String, Object> of(Plan plan) {
        NetworkCost patch = cost(plan, 1);
        Map<String, Object> facts = new LinkedHashMap<>();
        facts.put("parameters", patch.parameters());
        facts.put("forwardGmac", giga(patch.forwardMacs()));
        facts.put("forwardGflop", giga(patch.forwardFlops()));
        facts.put("trainingStepGflop", giga(cost(plan, plan.batchSize()).trainingFlops()));
        return facts;
    }

    /** A row per stage in the order of the forward pass, for one patch. */
    static List<Map<String, Object>> stages(Plan plan) {
        return cost(plan, 1).stages().stream().map(NetworkFacts::row).toList();
    }

    private static Map<String, Object> row(NetworkCost.Stage stage) {
        Shape output = stage.output();
        Map<String, Object> row = new LinkedHashMap<>();
        row.put("stage", stage.name());
        row.put("sizeZyx", List.of(output.d(), output.h(), output.w()));
        row.put("channels", output.c());
        row.put("parameters", stage.parameters());
        row.put("gmac", giga(stage.macs()));
        return row;
    }

    private static NetworkCost cost(Plan plan, int samples) {
        List<Integer> patch = plan.patchSize();
        int channels = plan.network().inChannels();
        return NetworkCost.of(plan.network(), new Shape(samples, patch.get(0), patch.get(1), patch.get(2), channels));
    }

    /** Three decimals, without an exponent. */
    private static BigDecimal giga(long count) {
        return BigDecimal.valueOf(count / GIGA).setScale(3, RoundingMode.HALF_UP);
    }
}
