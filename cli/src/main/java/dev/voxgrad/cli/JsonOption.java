package dev.voxgrad.cli;

import java.io.PrintWriter;
import java.nio.file.Path;
import picocli.CommandLine.Option;
import tools.jackson.core.StreamWriteFeature;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.module.SimpleModule;
import tools.jackson.databind.ser.std.ToStringSerializer;

/** Output for scripts: one JSON value on standard output, nothing else there. */
final class JsonOption {
    private static final JsonMapper MAPPER = JsonMapper.builder()
            .enable(SerializationFeature.INDENT_OUTPUT)
            .disable(StreamWriteFeature.AUTO_CLOSE_TARGET)
            .addModule(new SimpleModule().addSerializer(Path.class, ToStringSerializer.instance))
            .build();

    @Option(names = "--json", description = "Print the result as JSON.")
    private boolean json;

    boolean isSet() {
        return json;
    }

    /** Prints a record, map or list as indented JSON; numbers that are not finite become text. */
    void print(PrintWriter out, Object value) {
        MAPPER.writeValue(out, value);
        out.println();
    }
}
