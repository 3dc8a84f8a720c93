package dev.voxgrad.golden;

import static org.assertj.core.api.Assertions.assertThat;

import dev.voxgrad.engine.Safetensors;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import tools.jackson.databind.JsonNode;

/** The golden data of the module are complete and agree with their manifests, so that no case passes unseen. */
class GoldenDataTest {
    @TestFactory
    Stream<DynamicTest> manifestAgreesWithItsFiles() {
        return categories().stream().map(category -> DynamicTest.dynamicTest(category, () -> verify(category)));
    }

    @Test
    void pendingEntriesExist() {
        Set<String> known = new TreeSet<>();
        for (String category : categories()) {
            Golden.category(category).operations().keySet().forEach(op -> known.add(category + " " + op));
        }
        assertThat(known).containsAll(Pending.load().entries());
    }

    private static void verify(String category) {
        Pending pending = Pending.load();
        Golden golden = Golden.category(category);
        assertThat(golden.cases()).extracting(GoldenCase::id).doesNotHaveDuplicates();
        for (GoldenCase c : golden.cases()) {
            for (String key : c.keys()) {
                // The data of a pending operation may arrive together with it.
                if (!pending.holds(category, c.op()) || Files.exists(c.dataFile(key))) {
                    verifyTensor(c, key);
                }
            }
        }
    }

    private static void verifyTensor(GoldenCase c, String key) {
        JsonNode declared = c.json().path("tensors").path(key);
        if (declared.isMissingNode()) {
            c.tensor(key);
            return;
        }
        try (Safetensors file = Safetensors.open(c.dataFile(key))) {
            List<Long> shape = Stream.of(declared.path("shape"))
                    .flatMap(node -> node.values().stream())
                    .map(JsonNode::asLong)
                    .toList();
            assertThat(file.shape(key)).as(c.name() + " " + key).isEqualTo(shape);
            assertThat(file.type(key).name()).as(c.name() + " " + key).isEqualTo(typeName(declared));
        }
    }

    private static String typeName(JsonNode declared) {
        return switch (declared.path("dtype").asString()) {
            case "float64" -> "F64";
            case "float32" -> "F32";
            case "int32" -> "I32";
            case "uint8" -> "U8";
            default -> "unknown dtype " + declared;
        };
    }

    private static List<String> categories() {
        try (Stream<Path> folders = Files.list(Golden.folder(""))) {
            List<String> categories = folders.filter(Files::isDirectory)
                    .map(folder -> folder.getFileName().toString())
                    .sorted()
                    .toList();
            assertThat(categories).as("categories in " + Golden.folder("")).isNotEmpty();
            return categories;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
