package dev.voxgrad.cli.report;

/**
 * The page of a profile: one HTML file that needs no network. Its script draws the numbers, which are in the page as JSON; a content policy
 * forbids every request.
 */
public final class ProfilePage {
    private static final String POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'";

    private ProfilePage() {}

    /**
     * The page.
     *
     * @param json what {@code voxgrad profile --json} writes
     */
    public static String html(String title, String json) {
        return """
                <!DOCTYPE html>
                <html lang="en"><head><meta charset="utf-8">
                <meta http-equiv="Content-Security-Policy" content="%s">
                <meta name="viewport" content="width=device-width, initial-scale=1">
                <meta name="color-scheme" content="light dark">
                <title>%s</title>
                <style>
                %s%s</style>
                </head><body>
                %s<script type="application/json" id="data">%s</script>
                <script>
                %s</script>
                </body></html>
                """.formatted(
                        POLICY,
                        Html.text(title),
                        Vendor.own("report.css"),
                        Vendor.own("profile.css"),
                        Vendor.own("profile.html"),
                        Html.json(json),
                        Html.script(Vendor.own("profile.js")));
    }
}
