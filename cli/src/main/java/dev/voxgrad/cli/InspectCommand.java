package dev.voxgrad.cli;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code voxgrad inspect}: what is in a file. */
@Command(
        name = "inspect",
        description = {
            "Shows what is in a NIfTI file, a checkpoint or other safetensors file, a plan, a model folder",
            "or a data set folder. For a plan and a model also the network's parameters, multiply-adds of a",
            "patch, operations of a training step, and the same stage by stage."
        },
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        footerHeading = "%nExample:%n",
        footer = "  voxgrad inspect model/checkpoint_final.safetensors --json")
final class InspectCommand implements Runnable {
    /** Long values, such as a plan in the metadata, are cut at this length; JSON has them whole. */
    private static final int VALUE_WIDTH = 100;

    @Spec
    private CommandSpec spec;

    @Mixin
    private JsonOption json;

    @Parameters(paramLabel = "PATH", description = "File or folder.")
    private Path path;

    @Override
    public void run() {
        Inspection found = Inspection.of(path);
        PrintWriter out = spec.commandLine().getOut();
        if (json.isSet()) {
            json.print(out, found);
        } else {
            out.println(path + ": " + found.kind());
            found.facts().forEach((name, value) -> out.printf("  %-18s %s%n", name, shortened(value)));
            table(found.rows(), out);
        }
    }

    private static String shortened(Object value) {
        String text = String.valueOf(value).replaceAll("\\s+", " ");
        return text.length() <= VALUE_WIDTH ? text : text.substring(0, VALUE_WIDTH - 2) + "..";
    }

    private static void table(List<Map<String, Object>> rows, PrintWriter out) {
        if (rows.isEmpty()) {
            return;
        }
        out.println();
        List<Map<String, Object>> lines = new ArrayList<>();
        Map<String, Object> header = new LinkedHashMap<>();
        rows.get(0).keySet().forEach(column -> header.put(column, column));
        lines.add(header);
        lines.addAll(rows);
        for (Map<String, Object> row : lines) {
            StringBuilder line = new StringBuilder(" ");
            row.forEach((column, value) -> {
                int width = lines.stream()
                        .mapToInt(r -> String.valueOf(r.get(column)).length())
                        .max()
                        .orElse(0);
                line.append(' ').append(String.format("%-" + width + "s", value));
            });
            out.println(line.toString().stripTrailing());
        }
    }
}
