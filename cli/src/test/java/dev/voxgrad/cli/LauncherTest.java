package dev.voxgrad.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The launcher script in a clone that holds nothing but itself, with a PATH that holds only what the test puts there. */
final class LauncherTest {
    private static final List<String> BASICS = List.of(
            "sh",
            "dirname",
            "readlink",
            "sed",
            "find",
            "head",
            "mkdir",
            "touch",
            "mv",
            "grep",
            "tail",
            "sort",
            "tr",
            "cut");

    @TempDir
    private Path folder;

    private Path clone;
    private Path tools;

    private record Outcome(int exitCode, String text) {}

    @BeforeEach
    void emptyClone() throws IOException {
        clone = Files.createDirectories(folder.resolve("a clone"));
        tools = Files.createDirectories(folder.resolve("bin"));
        Files.copy(Path.of(System.getProperty("voxgrad.root", "..")).resolve("voxgrad"), clone.resolve("voxgrad"));
        for (String name : BASICS) {
            Path real = List.of(Path.of("/usr/bin", name), Path.of("/bin", name)).stream()
                    .filter(Files::exists)
                    .findFirst()
                    .orElseThrow();
            tool(name, "exec " + real + " \"$@\"");
        }
    }

    private Outcome launch(Map<String, String> environment, Path script) throws Exception {
        ProcessBuilder builder = new ProcessBuilder("/bin/sh", script.toString(), "doctor");
        builder.environment().clear();
        builder.environment().put("PATH", tools.toString());
        builder.environment().putAll(environment);
        Process process =
                builder.directory(folder.toFile()).redirectErrorStream(true).start();
        String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return new Outcome(process.waitFor(), text);
    }

    private static Map<String, String> thisJava() {
        return Map.of("VOXGRAD_JAVA", System.getProperty("java.home"));
    }

    private void tool(String name, String body) throws IOException {
        Path file = tools.resolve(name);
        Files.writeString(file, "#!/bin/sh\n" + body + "\n");
        assertThat(file.toFile().setExecutable(true)).isTrue();
    }

    @Test
    void namesTheMissingBuildTool() throws Exception {
        Outcome withoutMaven = launch(thisJava(), clone.resolve("voxgrad"));
        assertThat(withoutMaven.exitCode()).isEqualTo(ExitCode.USAGE);
        assertThat(withoutMaven.text()).contains("mvn is missing", "apt install maven");
        tool("mvn", "exit 0");
        Outcome withoutCmake = launch(thisJava(), clone.resolve("voxgrad"));
        assertThat(withoutCmake.exitCode()).isEqualTo(ExitCode.USAGE);
        assertThat(withoutCmake.text()).contains("cmake is missing");
    }

    @Test
    void refusesAnOldJavaByItsReleaseFile() throws Exception {
        Path old = Files.createDirectories(folder.resolve("jdk17/bin"));
        Files.writeString(folder.resolve("jdk17/release"), "JAVA_VERSION=\"17.0.15\"\n");
        Files.createSymbolicLink(old.resolve("java"), Files.createFile(old.resolve("java.bin")));
        assertThat(old.resolve("java.bin").toFile().setExecutable(true)).isTrue();
        Outcome outcome = launch(Map.of("VOXGRAD_JAVA", old.getParent().toString()), clone.resolve("voxgrad"));
        assertThat(outcome.exitCode()).isEqualTo(ExitCode.USAGE);
        assertThat(outcome.text()).contains("is Java 17", "22 or newer");
    }

    @Test
    void aFailedBuildShowsItsEndAndNamesTheLog() throws Exception {
        tool("mvn", "echo 'ERROR: something is wrong'; exit 1");
        for (String name : List.of("cmake", "ninja", "c++")) {
            tool(name, "exit 0");
        }
        Outcome outcome = launch(thisJava(), clone.resolve("voxgrad"));
        assertThat(outcome.exitCode()).isEqualTo(ExitCode.FAILURE);
        assertThat(outcome.text()).contains("building", "something is wrong", "build.log");
        assertThat(clone.resolve("cli/target/voxgrad.stamp")).doesNotExist();
    }

    @Test
    void buildsOnceAndAgainAfterAChangeAlsoThroughALink() throws Exception {
        tool("mvn", "echo built >>\"" + folder.resolve("builds") + "\"");
        for (String name : List.of("cmake", "ninja", "c++")) {
            tool(name, "exit 0");
        }
        Path source = Files.createDirectories(clone.resolve("engine/src/main")).resolve("A.java");
        Files.writeString(source, "1");
        Path link = Files.createSymbolicLink(folder.resolve("link"), clone.resolve("voxgrad"));
        // There is no program to start in this clone, so every launch ends with 1 after the build.
        launch(thisJava(), link);
        launch(thisJava(), link);
        assertThat(Files.readAllLines(folder.resolve("builds"))).hasSize(1);
        Thread.sleep(20);
        Files.writeString(source, "2");
        launch(thisJava(), link);
        assertThat(Files.readAllLines(folder.resolve("builds"))).hasSize(2);
    }
}
