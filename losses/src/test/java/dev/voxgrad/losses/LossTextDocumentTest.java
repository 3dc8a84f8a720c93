package dev.voxgrad.losses;

import static org.assertj.core.api.Assertions.assertThat;

import dev.voxgrad.engine.op.Loss;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
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

    @Test
    void numbersThatNeedNoNameAreTheDefaults() throws IOException {
        Matcher sentence =
                Pattern.compile("a number without its name: ([^;]*);").matcher(Files.readString(DOCUMENT));
        assertThat(sentence.find()).isTrue();
        Matcher example = Pattern.compile("`((\\w+)\\([^`]*\\))`").matcher(sentence.group(1));
        Set<String> names = new TreeSet<>();
        LossContext context = LossContext.of(3);
        while (example.find()) {
            names.add(example.group(2));
            assertThat(Losses.parse(example.group(1), context)).isEqualTo(Losses.parse(example.group(2), context));
        }
        assertThat(names).containsExactly("focal", "topk", "tversky");
    }

    @Test
    void tableHasEveryLossWithItsArguments() throws IOException {
        Matcher row = Pattern.compile("^\\| `((\\w+)[^`]*)` \\| [^|]* \\| ([^|]*) \\|$", Pattern.MULTILINE)
                .matcher(Files.readString(DOCUMENT));
        LossContext context = LossContext.of(3).withCounts(LabelCounts.equal(3));
        Set<String> names = new TreeSet<>();
        while (row.find()) {
            if (!Losses.factories().containsKey(row.group(2))) {
                continue; // a row of another table
            }
            names.add(row.group(2));
            String text = row.group(1);
            Loss loss = Losses.parse(text, context);
            Matcher argument = Pattern.compile("`(\\w+=[\\w.-]+)`").matcher(row.group(3));
            while (argument.find()) {
                String explicit = text.endsWith(")")
                        ? text.substring(0, text.length() - 1) + ", " + argument.group(1) + ")"
                        : text + "(" + argument.group(1) + ")";
                assertThat(Losses.parse(explicit, context)).as(explicit).isEqualTo(loss);
            }
        }
        assertThat(names).isEqualTo(Losses.factories().keySet());
    }
}
