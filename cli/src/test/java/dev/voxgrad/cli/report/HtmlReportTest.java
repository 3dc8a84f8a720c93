package dev.voxgrad.cli.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

final class HtmlReportTest {
    @TempDir
    private Path folder;

    private String page;

    @BeforeEach
    void write() throws IOException {
        Path file = folder.resolve("report.html");
        HtmlReport.write(file, SampleReport.data());
        page = Files.readString(file);
    }

    @Test
    void textOfTheUserCannotBecomeMarkup() {
        String body = page.substring(0, page.indexOf("id=\"data\""));
        assertThat(body).contains("Balls &amp; &lt;cores&gt;", "&lt;/script&gt;&lt;script&gt;alert(1)");
        assertThat(body).doesNotContain("<script>alert(1)");
        assertThat(JsonMapper.shared().readTree(json()).get("classes").get(1).asString())
                .isEqualTo("core </script>");
    }

    @Test
    void everyScriptElementEndsWhereItShould() {
        Matcher opened = Pattern.compile("<script[ >]").matcher(page.replaceAll("(?s)<script>.*?</script>", ""));
        assertThat(opened.results().count())
                .as("script elements beside the plain ones")
                .isEqualTo(1);
    }

    @Test
    void nothingIsLoadedFromOutside() {
        String markup = page.replaceAll("(?s)<(script|style)[^>]*>.*?</\\1>", "");
        assertThat(markup).doesNotContain("src=\"http").doesNotContain("<link").contains("default-src 'none'");
    }

    @Test
    void missingScoresAreDashesAndGapsAreNull() {
        assertThat(page.contains(">–</td>") && page.contains(">0.910</td>")).isTrue();
        JsonNode losses =
                JsonMapper.shared().readTree(json()).get("charts").get(0).get("lines");
        assertThat(losses.get(1).get("values").get(0).isNull()).isTrue();
        assertThat(losses.get(1).get("values").get(4).doubleValue()).isCloseTo(0.28, within(1e-9));
    }

    @Test
    void picturesAreThereWithoutAnyScript() {
        assertThat(Pattern.compile("<img alt=[^>]*data:image/png;base64")
                        .matcher(page)
                        .results()
                        .count())
                .isEqualTo(9);
        assertThat(page.contains("<svg class=\"curve\"")).isTrue();
    }

    @Test
    void withoutCasesAndEpochsThePageIsStillWhole() throws IOException {
        Path file = folder.resolve("empty.html");
        HtmlReport.write(
                file,
                new ReportData(
                        "t", "s", Optional.empty(), SampleReport.data().facts(), List.of("a"), List.of(), List.of()));
        String empty = Files.readString(file);
        assertThat(empty.endsWith("</html>\n")).isTrue();
        assertThat(empty.contains("<svg")).isFalse();
    }

    private String json() {
        Matcher found = Pattern.compile("(?s)id=\"data\">(.*?)</script>").matcher(page);
        assertThat(found.find()).isTrue();
        return found.group(1);
    }
}
