package dev.voxgrad.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Does what docs/adding-a-loss.md says, from an empty folder and in its order: writes its Java files, runs its commands. {@code voxgrad} on
 * the PATH is the program of this build.
 */
class AddingALossTest {
    private static final Path DOCUMENT =
            Path.of(System.getProperty("voxgrad.root", "..")).resolve("docs/adding-a-loss.md");
    private static final Pattern BLOCK = Pattern.compile("```(\\w+) ?(\\S*)\\n(.*?)```", Pattern.DOTALL);

    @TempDir
    Path folder;

    private record Outcome(int exitCode, String text) {}

    @Test
    void everyBlockOfTheDocumentWorks() throws Exception {
        Path project = Files.createDirectories(folder.resolve("project"));
        TinyDataset data = TinyDataset.valid(project.resolve("Dataset001_Balls"));
        Files.move(data.planFile(), project.resolve("plan.json"));
        program();
        List<String> outputs = new ArrayList<>();
        Matcher block = BLOCK.matcher(Files.readString(DOCUMENT));
        while (block.find()) {
            switch (block.group(1)) {
                case "java" -> {
                    Path file = project.resolve(block.group(2));
                    Files.createDirectories(file.getParent());
                    Files.writeString(file, block.group(3));
                }
                case "sh" -> {
                    for (String command : block.group(3).strip().split("\n")) {
                        Outcome outcome = run(project, command);
                        assertThat(outcome.exitCode())
                                .as("%s%n%s", command, outcome.text())
                                .isZero();
                        outputs.add(command + "\n" + outcome.text());
                    }
                }
                default -> throw new AssertionError("nobody runs a block of " + block.group(1));
            }
        }
        assertThat(outputs)
                .filteredOn(o -> o.contains(" gradcheck ") && !o.contains("--list"))
                .hasSize(6)
                .allSatisfy(output -> assertThat(output).contains("checked  ").endsWith("PASS\n"));
        assertThat(outputs)
                .anySatisfy(output ->
                        assertThat(output).contains("--list").contains("tversky_index Tversky loss per sample"));
        assertThat(Files.readString(project.resolve("model/plan.json"))).contains("tversky_index(0.8) + ce");
        assertThat(project.resolve("model/checkpoint_final.safetensors")).exists();
        brokenSignFails(project);
    }

    /** What the document says about a broken sign. */
    private void brokenSignFails(Path project) throws Exception {
        Path source = project.resolve("src/org/example/TverskyIndex.java");
        String right = Files.readString(source);
        String wrong = right.replace("Kind.INTERSECTION, -share", "Kind.INTERSECTION, share");
        assertThat(wrong).isNotEqualTo(right);
        Files.writeString(source, wrong);
        String compile = "javac -d classes -cp \"$(voxgrad --print-class-path)\" src/org/example/TverskyIndex.java";
        assertThat(run(project, compile).exitCode()).isZero();
        Outcome outcome = run(project, "voxgrad gradcheck tversky_index --class-path classes");
        assertThat(outcome.exitCode()).isEqualTo(ExitCode.FAILURE);
        assertThat(outcome.text()).contains("worst    ", "analytic").endsWith("FAIL\n");
    }

    private void program() throws IOException {
        Path bin = Files.createDirectories(folder.resolve("bin"));
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        StringBuilder script = new StringBuilder("#!/bin/sh\nexec '" + java + "' --enable-native-access=ALL-UNNAMED");
        for (String property : List.of("voxgrad.native.path", "voxgrad.root")) {
            if (System.getProperty(property) != null) {
                script.append(" -D")
                        .append(property)
                        .append("='")
                        .append(System.getProperty(property))
                        .append("'");
            }
        }
        script.append(" -cp '" + System.getProperty("java.class.path") + "' " + Main.class.getName() + " \"$@\"\n");
        Files.writeString(bin.resolve("voxgrad"), script);
        assertThat(bin.resolve("voxgrad").toFile().setExecutable(true)).isTrue();
    }

    private Outcome run(Path project, String command) throws Exception {
        ProcessBuilder builder = new ProcessBuilder("/bin/sh", "-c", command);
        builder.environment()
                .merge(
                        "PATH",
                        folder.resolve("bin") + ":" + System.getProperty("java.home") + "/bin",
                        (old, own) -> own + ":" + old);
        Process process =
                builder.directory(project.toFile()).redirectErrorStream(true).start();
        String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return new Outcome(process.waitFor(), text);
    }
}
