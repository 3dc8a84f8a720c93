package dev.voxgrad.cli.report;

import dev.voxgrad.cli.report.ReportData.CaseResult;
import dev.voxgrad.cli.report.SlicePicture.Plane;
import dev.voxgrad.engine.AtomicFile;
import dev.voxgrad.engine.image.LabelVolume;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import tools.jackson.databind.json.JsonMapper;

/**
 * Writes a report as one HTML file that needs no network: facts, curves, scores, pictures of slices, and a volume viewer where
 * the build could get one. A content policy in the page forbids every request.
 */
public final class HtmlReport {
    private static final String POLICY = "default-src 'none'; script-src 'unsafe-inline' 'wasm-unsafe-eval' blob:;"
            + " style-src 'unsafe-inline'; img-src data: blob:; font-src data:; connect-src data: blob:; worker-src blob: data:";

    private final ReportData data;
    private final Charts charts;
    private final List<EmbeddedVolume> views = new ArrayList<>();
    private final Optional<String> curveScript = Vendor.fetched("uPlot.iife.min.js");
    private final Optional<String> viewerScript = Vendor.fetched("niivue.umd.js");
    private final StringBuilder page = new StringBuilder();

    private HtmlReport(ReportData data) {
        this.data = data;
        this.charts = Charts.of(data);
    }

    /** Writes the page, all or nothing. */
    public static void write(Path file, ReportData data) {
        AtomicFile.write(file, new HtmlReport(data).html().getBytes(StandardCharsets.UTF_8));
    }

    private String html() {
        head();
        page.append("<main>");
        header();
        scores();
        data.cases().forEach(this::pictures);
        curves();
        facts();
        licences();
        page.append("<ul id=\"errors\" hidden></ul></main>\n");
        scripts();
        return page.append("</body></html>\n").toString();
    }

    private void head() {
        page.append("""
                <!DOCTYPE html>
                <html lang="en"><head><meta charset="utf-8">
                <meta http-equiv="Content-Security-Policy" content="%s">
                <meta name="viewport" content="width=device-width, initial-scale=1">
                <meta name="color-scheme" content="light dark">
                <title>%s</title>
                """.formatted(POLICY, Html.text(data.title())));
        Vendor.fetched("uPlot.min.css").ifPresent(this::style);
        style(Vendor.own("report.css"));
        page.append("</head><body>\n");
    }

    private void style(String css) {
        page.append("<style>\n").append(css).append("</style>\n");
    }

    private void header() {
        page.append("<header class=\"headline\"><div><h1>").append(Html.text(data.title()));
        page.append("</h1><p class=\"lead soft\">")
                .append(Html.text(data.summary()))
                .append("</p></div>");
        double mean = ReportData.mean(
                data.cases().stream().flatMap(c -> c.dice().stream()).toList());
        if (Double.isFinite(mean)) {
            page.append("<div class=\"score\"><b>").append(Html.score(mean)).append("</b>");
            page.append("<span class=\"soft\">mean foreground Dice</span></div>");
        }
        page.append("</header>\n");
        data.warning()
                .ifPresent(text -> page.append("<p class=\"warning\">")
                        .append(Html.text(text))
                        .append("</p>\n"));
    }

    private String chip(int label) {
        return "<span class=\"chip\" style=\"background:" + Palette.css(label) + "\"></span>";
    }

    private void scores() {
        if (data.cases().isEmpty()) {
            return;
        }
        page.append(
                "<section class=\"card\"><h2>Dice per case and class</h2><div class=\"scroll\"><table><thead><tr><th>Case</th>");
        for (int i = 0; i < data.classes().size(); i++) {
            page.append("<th>")
                    .append(chip(i + 1))
                    .append(Html.text(data.classes().get(i)))
                    .append("</th>");
        }
        page.append("<th>Mean</th></tr></thead><tbody>\n");
        data.cases().forEach(c -> row("", c.name(), c.dice()));
        if (data.cases().size() > 1) {
            row("mean", "Mean", meanPerClass());
        }
        page.append("</tbody></table></div></section>\n");
    }

    private List<Double> meanPerClass() {
        return IntStream.range(0, data.classes().size())
                .mapToObj(i -> ReportData.mean(
                        data.cases().stream().map(c -> c.dice().get(i)).toList()))
                .toList();
    }

    private void row(String kind, String name, List<Double> dice) {
        page.append("<tr class=\"")
                .append(kind)
                .append("\"><td>")
                .append(Html.text(name))
                .append("</td>");
        dice.forEach(this::cell);
        cell(ReportData.mean(dice));
        page.append("</tr>\n");
    }

    private void cell(double dice) {
        double bar = Double.isFinite(dice) ? dice : 0;
        page.append(String.format(Locale.ROOT, "<td class=\"dice\" style=\"--v:%.3f\">", bar));
        page.append(Html.score(dice)).append("</td>");
    }

    private void pictures(CaseResult result) {
        if (result.view().isEmpty()) {
            return;
        }
        ReportData.View view = result.view().get();
        page.append("<section class=\"card\"><h2>")
                .append(Html.text(result.name()))
                .append("</h2>");
        legend();
        page.append("<div class=\"slices\"><div></div><div class=\"head\">Image</div><div class=\"head\">Truth</div>");
        page.append("<div class=\"head\">Prediction</div>\n");
        for (Plane plane : Plane.values()) {
            int index = SlicePicture.mostInformative(view.truth(), plane);
            SlicePicture slice = new SlicePicture(view.image(), plane, index);
            String place = plane.title + ", " + plane.axisName() + " = " + index;
            page.append("<div class=\"row\">").append(place).append("</div>");
            picture(slice, Optional.empty(), "image, " + place);
            picture(slice, Optional.of(view.truth()), "truth, " + place);
            picture(slice, Optional.of(view.prediction()), "prediction, " + place);
        }
        page.append("</div>\n");
        if (viewerScript.isPresent() && EmbeddedVolume.fits(view)) {
            viewer(views.size());
            views.add(EmbeddedVolume.of(view));
        }
        page.append("</section>\n");
    }

    private void picture(SlicePicture slice, Optional<LabelVolume> labels, String text) {
        page.append("<img alt=\"%s\" width=\"%d\" height=\"%d\" src=\"%s\">\n"
                .formatted(Html.text(text), slice.width(), slice.height(), slice.png(labels)));
    }

    private void legend() {
        page.append("<ul class=\"legend\">");
        for (int i = 0; i < data.classes().size(); i++) {
            page.append("<li>")
                    .append(chip(i + 1))
                    .append(Html.text(data.classes().get(i)))
                    .append("</li>");
        }
        page.append("</ul>");
    }

    private void viewer(int index) {
        page.append("""
                <div class="viewer" data-view="%d">
                <div class="controls"><span class="segments">
                <button type="button" value="image" aria-pressed="false">Image</button>
                <button type="button" value="truth" aria-pressed="false">Truth</button>
                <button type="button" value="prediction" aria-pressed="true">Prediction</button></span>
                <label>Opacity <input class="opacity" type="range" min="0" max="1" step="0.05" value="0.5"></label>
                <label>Axial slice <input class="slice" type="range" min="0" max="1" step="1" value="0"></label>
                <span class="soft">Click to move, scroll through slices, drag the 3D view.</span></div>
                <div class="stage"><canvas></canvas></div></div>
                """.formatted(index));
    }

    private void curves() {
        if (charts.charts().isEmpty()) {
            return;
        }
        page.append("<section class=\"card\"><h2>Training</h2><div class=\"curves\">\n");
        for (int i = 0; i < charts.charts().size(); i++) {
            Charts.Chart chart = charts.charts().get(i);
            page.append("<figure style=\"margin:0;min-width:0\"><h3>").append(Html.text(chart.title()));
            page.append("</h3><div class=\"plot\" data-chart=\"").append(i).append("\">");
            page.append(CurvePicture.svg(chart.title(), charts.epochs(), chart.lines()));
            page.append("<ul class=\"legend\">");
            chart.lines()
                    .forEach(line -> page.append("<li><span class=\"chip\" style=\"background:%s\"></span>%s</li>"
                            .formatted(line.colour(), Html.text(line.name()))));
            page.append("</ul></div></figure>\n");
        }
        page.append("</div></section>\n");
    }

    private void facts() {
        page.append("<section class=\"card\"><h2>How this was made</h2><dl>\n");
        data.facts()
                .forEach((name, value) -> page.append(
                        "<div><dt>%s</dt><dd>%s</dd></div>\n".formatted(Html.text(name), Html.text(value))));
        page.append("</dl></section>\n");
    }

    private void licences() {
        if (curveScript.isPresent() || viewerScript.isPresent()) {
            page.append("<details><summary>Licences of the libraries in this page</summary><pre>");
            page.append(Html.text(Vendor.own("licences.txt"))).append("</pre></details>\n");
        }
    }

    private void scripts() {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("epochs", charts.epochs());
        json.put("charts", charts.charts().stream().map(HtmlReport::finite).toList());
        json.put("classes", data.classes());
        json.put(
                "colours",
                IntStream.rangeClosed(1, data.classes().size())
                        .mapToObj(Palette::of)
                        .toList());
        json.put("views", views);
        page.append("<script type=\"application/json\" id=\"data\">");
        page.append(Html.json(JsonMapper.shared().writeValueAsString(json))).append("</script>\n");
        if (!charts.charts().isEmpty()) {
            curveScript.ifPresent(this::library);
        }
        if (!views.isEmpty()) {
            viewerScript.ifPresent(this::library);
        }
        page.append("<script>\n").append(Html.script(Vendor.own("report.js"))).append("</script>\n");
    }

    private void library(String source) {
        page.append("<script>\n")
                .append(Vendor.NOTICE)
                .append(Html.script(source))
                .append("\n</script>\n");
    }

    /** JSON has no NaN: gaps become null. */
    private static Map<String, Object> finite(Charts.Chart chart) {
        return Map.of(
                "title",
                chart.title(),
                "lines",
                chart.lines().stream().map(HtmlReport::finite).toList());
    }

    private static Map<String, Object> finite(CurvePicture.Line line) {
        List<Double> values = new ArrayList<>();
        line.values().forEach(v -> values.add(Double.isFinite(v) ? v : null));
        return Map.of("name", line.name(), "colour", line.colour(), "values", values);
    }
}
