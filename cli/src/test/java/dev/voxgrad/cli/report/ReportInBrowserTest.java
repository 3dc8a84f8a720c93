package dev.voxgrad.cli.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Opens a report in Chromium, if there is one, and looks at what its scripts made of the page. */
final class ReportInBrowserTest {
    @TempDir
    private Path folder;

    @Test
    void curvesAndViewerStartWithoutAnError() throws Exception {
        Browser browser = Browser.assumed();
        Assumptions.assumeTrue(
                Vendor.fetched("niivue.umd.js").isPresent(), "this build has no report scripts (npm was missing)");
        Path file = folder.resolve("report.html");
        HtmlReport.write(file, SampleReport.data());
        String dom = browser.dom(file, folder);
        assertThat(dom).contains("<ul id=\"errors\" hidden=\"\"></ul>");
        assertThat(dom).contains("data-curves=\"ready\"", "class=\"uplot");
        assertThat(dom).contains("data-viewer=\"ready\"", "data-ready=\"true\"");
    }
}
