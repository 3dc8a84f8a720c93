package dev.voxgrad.bench;

import java.time.LocalDateTime;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Versions behind a table.
 *
 * @param date when the run started
 * @param commit of this working tree
 * @param versions of all sides
 * @param missing peers that are not there, each with the reason
 */
record Environment(LocalDateTime date, String commit, String versions, List<String> missing) {
    /** One line for the head of a table. */
    String describe(Machine machine) {
        return "%s, commit %s: %s; %s".formatted(date, commit, machine.describe(), versions);
    }

    /** The first JSON line. */
    Map<String, Object> json(Machine machine) {
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("date", date.toString());
        line.put("commit", commit);
        line.put("machine", machine.device().deviceName());
        line.put("isa", machine.device().isa());
        line.put("threads", machine.device().threads());
        line.put("fma_gflops", machine.fmaGflops());
        line.put("copy_gbps", machine.copyGbps());
        line.put("versions", versions);
        line.put("jdk", System.getProperty("java.version"));
        line.put("os", System.getProperty("os.name") + " " + System.getProperty("os.version"));
        line.put("missing_peers", missing);
        return line;
    }
}
