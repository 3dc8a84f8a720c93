package dev.voxgrad.cli.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Opens a report in Chromium, if there is one, and looks at what its scripts made of the page. */
final class ReportInBrowserTest {
    @TempDir
    private Path folder;

    private static Optional<Path> browser() {
        return Stream.of(System.getenv("PATH").split(":"))
                .flatMap(f -> Stream.of("chromium", "chromium-browser", "google-chrome")
                        .map(Path.of(f)::resolve))
                .filter(Files::isExecutable)
                .findFirst();
    }

    @Test
    void curvesAndViewerStartWithoutAnError() throws Exception {
        Optional<Path> browser = browser();
        Assumptions.assumeTrue(browser.isPresent(), "no chromium on the PATH; the report is not opened in a browser");
        Assumptions.assumeTrue(
                Vendor.fetched("niivue.umd.js").isPresent(), "this build has no report scripts (npm was missing)");
        Path file = folder.resolve("report.html");
        HtmlReport.write(file, SampleReport.data());
        String dom = open(browser.get(), file);
        assertThat(dom).contains("<ul id=\"errors\" hidden=\"\"></ul>");
        assertThat(dom).contains("data-curves=\"ready\"", "class=\"uplot");
        assertThat(dom).contains("data-viewer=\"ready\"", "data-ready=\"true\"");
    }

    private String open(Path browser, Path file) throws Exception {
        Path out = folder.resolve("dom.html");
        List<String> command = new ArrayList<>(List.of(
                browser.toString(),
                "--headless",
                "--no-sandbox",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                // Draws WebGL 2 with the processor.
                "--use-gl=angle",
                "--use-angle=swiftshader",
                "--enable-unsafe-swiftshader",
                "--user-data-dir=" + folder.resolve("profile"),
                "--virtual-time-budget=20000",
                "--dump-dom",
                file.toUri().toString()));
        Process process = new ProcessBuilder(command)
                .redirectOutput(out.toFile())
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        try {
            assertThat(process.waitFor(150, TimeUnit.SECONDS))
                    .as("browser ends")
                    .isTrue();
        } finally {
            process.destroyForcibly().waitFor();
        }
        return Files.readString(out, StandardCharsets.UTF_8);
    }
}
