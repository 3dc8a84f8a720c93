package dev.voxgrad.cli;

import dev.voxgrad.engine.profile.Profile;
import dev.voxgrad.engine.profile.Recording;
import dev.voxgrad.engine.profile.Row;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/** A profile as JSON, for scripts and for the page. Times are milliseconds, rates thousands of millions per second. */
final class ProfileJson {
    private static final JsonMapper PRETTY =
            JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

    /** More calls of one step than this are not drawn one by one. */
    private static final int MOST_CALLS = 5000;

    private ProfileJson() {}

    static String pretty(ProfileResult result) {
        return PRETTY.writeValueAsString(tree(result)) + "\n";
    }

    static String compact(ProfileResult result) {
        return JsonMapper.shared().writeValueAsString(tree(result));
    }

    private static Map<String, Object> tree(ProfileResult result) {
        Profile profile = result.profile();
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("title", result.title());
        tree.put("summary", result.summary());
        tree.put("facts", result.facts());
        tree.put("stepName", result.step());
        tree.put("steps", profile.stepNs().size());
        tree.put("stepMs", profile.stepMs());
        tree.put("wallMs", profile.wallNs() / 1e6);
        tree.put("kernelMs", profile.kernelNs() / 1e6);
        tree.put("gflops", profile.flops() / profile.wallNs());
        tree.put("peakGflops", profile.ceilings().flopsPerSecond() / 1e9);
        tree.put("copyGbytesPerSecond", profile.ceilings().bytesPerSecond() / 1e9);
        tree.put("peakLiveBytes", profile.peakLiveBytes());
        Map<String, Double> phases = new LinkedHashMap<>();
        profile.phases().forEach((phase, ns) -> phases.put(phase.name().toLowerCase(Locale.ROOT), ns / 1e6));
        tree.put("phases", phases);
        tree.put("rows", rows(profile.rows(Profile.By.LAYER_OP)));
        tree.put("byOp", rows(profile.rows(Profile.By.OP)));
        tree.put("byLayer", rows(profile.rows(Profile.By.LAYER)));
        tree.put("medianStep", calls(profile));
        return tree;
    }

    private static List<Map<String, Object>> rows(List<Row> rows) {
        return rows.stream().map(ProfileJson::row).toList();
    }

    private static Map<String, Object> row(Row row) {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("phase", row.phaseName());
        map.put("layer", row.layer());
        map.put("op", row.op());
        map.put("host", row.host());
        map.put("sizes", row.sizes());
        map.put("calls", row.calls());
        map.put("totalMs", row.totalMs());
        map.put("medianMs", row.medianMs());
        map.put("share", row.share());
        map.put("gflops", row.gflops());
        map.put("gbytesPerSecond", row.gbytesPerSecond());
        map.put("intensity", row.intensity());
        map.put("roofline", row.roofline());
        map.put("bound", row.bound());
        map.put("liveBytes", row.liveBytes());
        return map;
    }

    /** The calls of the median step with their times, for the picture of the memory. */
    private static List<Map<String, Object>> calls(Profile profile) {
        int step = profile.medianStep();
        List<Recording.Call> calls = profile.calls().stream()
                .filter(c -> c.step() == step)
                .limit(MOST_CALLS)
                .toList();
        long start = calls.isEmpty() ? 0 : calls.getFirst().startNs();
        return calls.stream().map(c -> call(c, start)).toList();
    }

    private static Map<String, Object> call(Recording.Call call, long start) {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("phase", call.phase().name().toLowerCase(Locale.ROOT));
        map.put("layer", call.layer());
        map.put("op", call.work().kernel());
        map.put("startMs", (call.startNs() - start) / 1e6);
        map.put("ms", call.ns() / 1e6);
        map.put("liveBytes", call.liveBytes());
        return map;
    }
}
