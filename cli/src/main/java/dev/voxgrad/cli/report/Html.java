package dev.voxgrad.cli.report;

import java.util.Locale;

/** Text that is safe inside a page. */
final class Html {
    private Html() {}

    /** For element content and quoted attributes. */
    static String text(String raw) {
        return raw.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;")
                .replace("'", "&#39;");
    }

    /** JSON inside a script element: no tag can start in it. */
    static String json(String json) {
        return json.replace("<", "\\u003c");
    }

    /** A library's source inside a script element: the only text that could end the element is written with an escape. */
    static String script(String source) {
        return source.replace("</script", "<\\/script").replace("</SCRIPT", "<\\/SCRIPT");
    }

    /** A score with three digits; a dash when it does not exist. */
    static String score(double value) {
        return Double.isFinite(value) ? String.format(Locale.ROOT, "%.3f", value) : "–";
    }
}
