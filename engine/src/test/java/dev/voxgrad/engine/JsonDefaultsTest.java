package dev.voxgrad.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class JsonDefaultsTest {
    private static final JsonMapper JSON = JsonMapper.builder().build();

    private record Inner(int a, @JsonDefault("0.5") double b) {}

    private record Outer(
            String name,
            Inner inner,
            @JsonDefault("\"x\"") String text,
            @JsonDefault("0") long count,
            @JsonDefault("[]") List<Integer> list) {}

    private static final Outer DEFAULTS = new Outer("n", new Inner(1, 0.5), "x", 0, List.of());

    private static String written(Outer value) {
        return JsonDefaults.write(JSON, value);
    }

    private static Outer read(String text) {
        return JsonDefaults.read(JSON, text, Outer.class);
    }

    @Test
    void valuesThatAreTheDefaultAreNotWrittenAndComeBack() {
        assertThat(written(DEFAULTS)).isEqualTo("{\"name\":\"n\",\"inner\":{\"a\":1}}");
        assertThat(read(written(DEFAULTS))).isEqualTo(DEFAULTS);
    }

    @Test
    void otherValuesAreWrittenInTheOrderOfTheRecord() {
        Outer other = new Outer("n", new Inner(1, 0.25), "y", 3, List.of(7));
        assertThat(written(other))
                .isEqualTo("{\"name\":\"n\",\"inner\":{\"a\":1,\"b\":0.25},\"text\":\"y\",\"count\":3,\"list\":[7]}");
        assertThat(read(written(other))).isEqualTo(other);
    }

    @Test
    void whatIsNoObjectStaysForTheReaderToRefuse() {
        JsonNode text = JSON.readTree("\"text\"");
        JsonDefaults.fill(text, Outer.class);
        JsonDefaults.strip(text, Outer.class);
        assertThat(text.toString()).isEqualTo("\"text\"");
    }
}
