package dev.voxgrad.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.tools.DiagnosticCollector;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the README shows must be true: its Java compiles, its commands exist, it stays short. */
class ReadmeTest {
    private static final Path README = Path.of(System.getProperty("voxgrad.root", ".."), "README.md");

    @TempDir
    Path folder;

    @Test
    void embeddingExampleCompiles() throws IOException {
        Matcher block = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL).matcher(Files.readString(README));
        assertThat(block.find()).as("a java block in the README").isTrue();
        JavaFileObject source =
                new SimpleJavaFileObject(URI.create("string:///Segment.java"), JavaFileObject.Kind.SOURCE) {
                    @Override
                    public CharSequence getCharContent(boolean ignoreEncodingErrors) {
                        return block.group(1);
                    }
                };
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        DiagnosticCollector<JavaFileObject> diagnostics = new DiagnosticCollector<>();
        boolean compiled = compiler.getTask(
                        null,
                        null,
                        diagnostics,
                        List.of(
                                "-d",
                                folder.toString(),
                                "-cp",
                                System.getProperty("java.class.path"),
                                "--release",
                                "22",
                                "-proc:none"),
                        null,
                        List.of(source))
                .call();
        assertThat(compiled).as(diagnostics.getDiagnostics().toString()).isTrue();
    }

    @Test
    void everyCommandIsThereAndNamed() throws IOException {
        String text = Files.readString(README);
        for (String command : Main.commandLine().getSubcommands().keySet()) {
            assertThat(text).contains("`" + command + "`");
        }
    }

    @Test
    void isShort() throws IOException {
        assertThat(Files.readAllLines(README)).hasSizeLessThan(150);
    }
}
