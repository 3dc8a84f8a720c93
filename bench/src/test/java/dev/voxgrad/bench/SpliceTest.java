package dev.voxgrad.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.voxgrad.engine.DataException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SpliceTest {
    private static final String README = "before\n" + Splice.BEGIN + "\nold\n" + Splice.END + "\nafter\n";

    @TempDir
    private Path root;

    @BeforeEach
    void makeProject() throws IOException {
        Files.createDirectories(root.resolve("bench/results"));
        write("README.md", README);
        write(
                "bench/readme.csv",
                "text,problem,direction,threads\nthe layer,conv a,forward,2\nnot run,conv b,forward,2\n");
        results("1.jsonl", "2026-01-01", row("conv a", 2, 50, "pytorch", "100"));
        results(
                "0.jsonl",
                "2026-01-02T10:30",
                row("conv a", 2, 10, "pytorch", "40"),
                row("conv a", 2, 11, "onednn", "33"),
                row("conv a", 1, 20, "pytorch", "60"),
                row("conv b", 1, 20, "pytorch", "60"));
        results("latest.jsonl", "2026-01-03", row("conv a", 2, 1, "pytorch", "2"));
    }

    private void write(String name, String text) throws IOException {
        Files.writeString(root.resolve(name), text);
    }

    private void results(String name, String date, String... rows) throws IOException {
        String head = "{\"date\":\"" + date + "\",\"commit\":\"c\",\"machine\":\"m\",\"isa\":\"avx2\",\"threads\":2,"
                + "\"versions\":\"v\",\"jdk\":\"25\"}\n";
        write("bench/results/" + name, head + String.join("\n", rows) + "\n");
    }

    private static String row(String problem, int threads, double ms, String peer, String peerMs) {
        return ("{\"problem\":\"%s\",\"direction\":\"forward\",\"threads\":%d,\"ours_ms\":%.1f,\"peer\":\"%s\","
                        + "\"peer_setting\":\"s\",\"peer_ms\":%s,\"ratio\":3.0,\"gflops\":123.4}")
                .formatted(problem, threads, ms, peer, peerMs);
    }

    @Test
    void theNewestResultAgainstTheFastestPeerReplacesTheTableAndASecondTimeChangesNothing() throws IOException {
        Splice.run(root);
        String once = Files.readString(root.resolve("README.md"));
        assertThat(once)
                .startsWith("before\n")
                .endsWith(Splice.END + "\nafter\n")
                .contains("| the layer | 2 | 11.0 ms, 123 GFLOP/s | 33.0 ms (onednn s) | 3.0 | c |")
                .contains("\nm (avx2): v, JDK 25\n")
                .doesNotContain("old", "2026-01-01", "2026-01-03", "not run");
        Splice.run(root);
        assertThat(root.resolve("README.md")).hasContent(once);
    }

    @Test
    void aRowThatWasNeverMeasuredIsNamed() throws IOException {
        Splice splice = new Splice(root.resolve("bench/results"));
        splice.renew(README, Rows.read(root.resolve("bench/readme.csv")));
        assertThat(splice.missing()).containsExactly("conv b, forward, 2 threads");
    }

    @Test
    void aReadmeWithoutMarksIsAnError() throws IOException {
        write("README.md", "no marks");
        assertThatThrownBy(() -> Splice.run(root))
                .isInstanceOf(DataException.class)
                .hasMessageContaining(Splice.BEGIN);
    }

    @Test
    void everyRowOfTheProjectsTableIsAProblem() throws IOException {
        Path project = Path.of(System.getProperty("voxgrad.root"));
        Set<String> known = Problems.read(project.resolve("bench/problems")).stream()
                .flatMap(p -> p.directions().stream().map(direction -> p.name() + ", " + direction))
                .collect(Collectors.toSet());
        List<Rows.Row> rows = Rows.read(project.resolve("bench/readme.csv"));
        assertThat(rows).isNotEmpty();
        assertThat(known)
                .containsAll(rows.stream()
                        .map(row -> row.text("problem") + ", " + row.text("direction"))
                        .toList());
        assertThat(Files.readString(project.resolve("README.md"))).containsSubsequence(Splice.BEGIN, Splice.END);
    }
}
