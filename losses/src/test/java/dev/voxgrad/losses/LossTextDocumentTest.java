package dev.voxgrad.losses;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** Every loss in docs/loss-text.md is one. */
class LossTextDocumentTest {
    private static final Path DOCUMENT =
            Path.of(System.getProperty("voxgrad.root", "..")).resolve("docs/loss-text.md");

    @Test
    void examplesAreLosses() throws IOException {
        Matcher block = Pattern.compile("```\n(.*?)```", Pattern.DOTALL).matcher(Files.readString(DOCUMENT));
        assertThat(block.find()).isTrue();
        List<String> examples = block.group(1).lines().toList();
        assertThat(examples).hasSizeGreaterThan(3);
        LossContext context = LossContext.of(3).withCounts(LabelCounts.equal(3));
        assertThat(examples).allSatisfy(text -> {
            String printed = Losses.parse(text, context).toString();
            assertThat(Losses.parse(printed, context)).isEqualTo(Losses.parse(text, context));
        });
    }
}
