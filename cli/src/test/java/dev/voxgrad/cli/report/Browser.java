package dev.voxgrad.cli.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;

/** Chromium, where there is one. */
public record Browser(Path program) {
    /** The browser of this machine; a test that needs one is skipped where there is none. */
    public static Browser assumed() {
        Optional<Path> found = Stream.of(System.getenv("PATH").split(":"))
                .flatMap(f -> Stream.of("chromium", "chromium-browser", "google-chrome")
                        .map(Path.of(f)::resolve))
                .filter(Files::isExecutable)
                .findFirst();
        Assumptions.assumeTrue(found.isPresent(), "no chromium on the PATH; the page is not opened in a browser");
        return new Browser(found.get());
    }

    /**
     * What the scripts of a page made of it.
     *
     * @param work a folder for the browser's own files
     */
    public String dom(Path page, Path work) throws IOException, InterruptedException {
        Path out = work.resolve("dom.html");
        List<String> command = List.of(
                program.toString(),
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
                "--user-data-dir=" + work.resolve("browser"),
                "--virtual-time-budget=20000",
                "--dump-dom",
                page.toUri().toString());
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
