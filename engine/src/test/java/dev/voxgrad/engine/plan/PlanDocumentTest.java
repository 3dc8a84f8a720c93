package dev.voxgrad.engine.plan;

import static org.assertj.core.api.Assertions.assertThat;

import dev.voxgrad.engine.JsonDefault;
import dev.voxgrad.engine.nn.NetworkSpec;
import dev.voxgrad.engine.nn.Networks;
import dev.voxgrad.engine.optim.Ranger21;
import java.io.IOException;
import java.lang.reflect.RecordComponent;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** The examples of docs/plan.md are plans, and its tables have every key with its default. */
class PlanDocumentTest {
    private static final Path DOCUMENT =
            Path.of(System.getProperty("voxgrad.root", "..")).resolve("docs/plan.md");
    private static final Pattern EXAMPLE = Pattern.compile("```json\n(.*?)```", Pattern.DOTALL);
    private static final Pattern ROW =
            Pattern.compile("^\\| `(\\w+)` \\|[^|]*\\|(?: `([^`]*)` \\|)?", Pattern.MULTILINE);

    @TempDir
    private Path folder;

    @Test
    void examplesArePlans() throws IOException {
        List<JsonNode> examples = new ArrayList<>();
        Matcher example = EXAMPLE.matcher(Files.readString(DOCUMENT));
        while (example.find()) {
            examples.add(JsonMapper.shared().readTree(example.group(1)));
        }
        assertThat(examples).hasSize(4);
        for (JsonNode changes : examples) {
            ObjectNode whole = (ObjectNode) examples.getFirst().deepCopy();
            merge(whole, changes);
            Path file = Files.writeString(folder.resolve("plan.json"), whole.toString());
            assertThat(Plan.read(file).name()).isEqualTo("lesions");
        }
    }

    private static void merge(ObjectNode whole, JsonNode changes) {
        changes.properties().forEach(change -> {
            if (whole.get(change.getKey()) instanceof ObjectNode inner) {
                merge(inner, change.getValue());
            } else {
                whole.set(change.getKey(), change.getValue());
            }
        });
    }

    @Test
    void theFirstExampleHasTheStandardTraining() throws IOException {
        Matcher example = EXAMPLE.matcher(Files.readString(DOCUMENT));
        assertThat(example.find()).isTrue();
        Path file = Files.writeString(folder.resolve("plan.json"), example.group(1));
        assertThat(Plan.read(file).training()).isEqualTo(Training.standard());
    }

    @Test
    void tablesHaveEveryKeyWithItsDefault() throws IOException {
        assertThat(rows("The plan itself")).isEqualTo(keys(Plan.class));
        assertThat(rows("`training`")).isEqualTo(keys(Training.class));
        assertThat(rows("`training.intensity`")).isEqualTo(keys(Intensity.class));
        assertThat(rows("`training.optimization`")).isEqualTo(keys(Optimization.class));
        assertThat(rows("`training.optimization.ranger21`")).isEqualTo(keys(Ranger21.Components.class));
        Map<String, String> network = keys(NetworkSpec.class);
        Networks.names().forEach(name -> network.put(name, ""));
        assertThat(rows("`network`")).isEqualTo(network);
    }

    /** Keys and defaults in the section of a heading. */
    private static Map<String, String> rows(String heading) throws IOException {
        String text = Files.readString(DOCUMENT);
        String title = "\n## " + heading + "\n";
        assertThat(text).contains(title);
        String rest = text.substring(text.indexOf(title) + title.length());
        Matcher row = ROW.matcher(rest.substring(0, rest.indexOf("\n## ")));
        Map<String, String> rows = new LinkedHashMap<>();
        while (row.find()) {
            rows.put(row.group(1), row.group(2) == null ? "" : row.group(2));
        }
        return rows;
    }

    private static Map<String, String> keys(Class<? extends Record> type) {
        Map<String, String> keys = new LinkedHashMap<>();
        for (RecordComponent component : type.getRecordComponents()) {
            JsonDefault missing = component.getAnnotation(JsonDefault.class);
            keys.put(component.getName(), missing == null ? "" : missing.value());
        }
        return keys;
    }
}
