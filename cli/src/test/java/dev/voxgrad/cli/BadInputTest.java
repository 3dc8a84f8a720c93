package dev.voxgrad.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import dev.voxgrad.engine.image.Grid;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Whatever is wrong with the files of a training: one line on standard error that names the file and the fix, the exit code of bad input,
 * and nothing half written.
 */
final class BadInputTest {
    @TempDir
    private Path folder;

    private CommandFolder work;

    @BeforeEach
    void validDataset() {
        work = CommandFolder.of(folder);
    }

    static Stream<String> refusedImages() throws IOException {
        try (Stream<Path> files =
                Files.list(CommandFolder.golden("bad_magic.nii").getParent())) {
            return files
                    .map(f -> f.getFileName().toString())
                    .filter(n -> n.matches("bad_.*\\.nii(\\.gz)?"))
                    .sorted()
                    .toList()
                    .stream();
        }
    }

    @ParameterizedTest
    @MethodSource("refusedImages")
    void refusedImage(String name) throws IOException {
        String ending = name.endsWith(".gz") ? ".nii.gz" : ".nii";
        work.data().text("dataset.json", TinyDataset.description(1).replace(".nii.gz", ending));
        Path image = work.data().path("imagesTr/bad_0000" + ending);
        for (String id : TinyDataset.CASES) {
            Files.delete(work.data().path("imagesTr/" + id + "_0000.nii.gz"));
            Files.delete(work.data().path("labelsTr/" + id + ".nii.gz"));
        }
        work.data().labels("labelsTr/bad" + ending, TinyDataset.labels(1), TinyDataset.GRID);
        Files.copy(CommandFolder.golden(name), image);
        work.assertTrainingRefused(image);
    }

    @Test
    void missingLabelFile() throws IOException {
        Files.delete(work.data().path("labelsTr/q.nii.gz"));
        work.assertTrainingRefused("case q", "missing", work.data().path("labelsTr/q.nii.gz"));
    }

    @Test
    void shapesOfImageAndLabelsDiffer() throws IOException {
        work.data().labels("labelsTr/q.nii.gz", new short[8 * 9 * 9], new Grid(8, 9, 9));
        work.assertTrainingRefused(
                work.data().path("labelsTr/q.nii.gz"),
                work.data().path("imagesTr/q_0000.nii.gz"),
                "[8, 9, 9]",
                "[8, 9, 10]",
                "resample");
    }

    @Test
    void labelIsNotDeclared() throws IOException {
        work.data().labels("labelsTr/q.nii.gz", TinyDataset.labels(5), TinyDataset.GRID);
        work.assertTrainingRefused(work.data().path("labelsTr/q.nii.gz"), "lesion=1", "[0, 5]", "dataset.json");
    }

    @Test
    void imageHoldsNan() throws IOException {
        float[] image = TinyDataset.image(1);
        image[17] = Float.NaN;
        work.data().image("imagesTr/q_0000.nii.gz", image);
        work.assertTrainingRefused(work.data().path("imagesTr/q_0000.nii.gz"), "1 NaN", "replace");
    }

    @Test
    void severalProblemsComeTogether() throws IOException {
        work.data().labels("labelsTr/p.nii.gz", TinyDataset.labels(5), TinyDataset.GRID);
        work.data().labels("labelsTr/q.nii.gz", TinyDataset.labels(7), TinyDataset.GRID);
        List<Path> before = work.tree();
        CommandRun run = work.train();
        assertThat(run.exitCode()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err()).contains("2 problems", "p.nii.gz", "[0, 5]", "q.nii.gz", "[0, 7]");
        assertThat(run.err().lines()).hasSize(3);
        assertThat(work.tree()).isEqualTo(before);
    }

    @Test
    void emptyForegroundTrainsWithANote() {
        work.data().labels("labelsTr/q.nii.gz", TinyDataset.labels(0), TinyDataset.GRID);
        CommandRun run = work.train();
        assertThat(run.err()).isEmpty();
        assertThat(run.exitCode()).isEqualTo(ExitCode.OK);
        assertThat(run.out()).contains("note: " + work.data().path("labelsTr/q.nii.gz") + ": holds only background");
    }

    @Test
    void foregroundNowhereTrainsWithANote() {
        work.data().labels("labelsTr/p.nii.gz", TinyDataset.labels(0), TinyDataset.GRID);
        emptyForegroundTrainsWithANote();
    }

    @Test
    void patchLargerThanTheVolumeWorks() {
        work.data().plan(List.of(16, 16, 16)).write(work.data().planFile());
        CommandRun run = work.train();
        assertThat(run.err()).isEmpty();
        assertThat(run.exitCode()).isEqualTo(ExitCode.OK);
        assertThat(work.predict(work.data().path("imagesTs")).exitCode()).isEqualTo(ExitCode.OK);
    }

    @Test
    void missingImageFolder() throws IOException {
        Files.move(work.data().path("labelsTr"), work.data().path("labels"));
        work.assertTrainingRefused(work.data().path("labelsTr"), "missing folder", "belong into");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    "numTraining"      | "numtraining"     | missing keys [numTraining]
                    "labels"           | "label"           | missing keys [labels]
                    "lesion": 1        | "lesion": "one"   | key "labels.lesion" is "one"
                    "lesion": 1        | "lesion": 2       | without a gap
                    "background": 0    | "bg": 0           | "background" must be there
                    "numTraining": 2   | "numTraining": 3  | numTraining is 3, found 2 cases
                    {"0": "T1"}        | ["T1"]            | key "channel_names" is ["T1"]
                    ".nii.gz"          | ".mha"            | .mha
                    "labels"           | labels            | not valid JSON
                    """, quoteCharacter = '`')
    void wrongDescription(String right, String wrong, String text) throws IOException {
        work.data().text("dataset.json", TinyDataset.description(2).replace(right, wrong));
        work.assertTrainingRefused(
                wrong.contains(".mha")
                        ? work.data().path("imagesTr")
                        : work.data().path("dataset.json"),
                text);
    }

    @Test
    void missingDescription() throws IOException {
        Files.delete(work.data().path("dataset.json"));
        work.assertTrainingRefused(work.data().path("dataset.json"), "no such file");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    "batchSize"        | "batch_size"       | unknown keys [batch_size] | valid keys: [formatVersion, name
                    "batchSize" : 2    | "batchSize" : "x"  | key "batchSize"           | whole number
                    "batchSize" : 2    | "batchSize" : 0    | batchSize is 0            | at least 1
                    "learningRate"     | "learning_rate"    | unknown keys [learning_r  | valid keys: [loss, optimizer
                    "adamw"            | "adamax"           | optimizer is adamax       | [sgd, adam, adamw, ranger21]
                    "dice + ce"        | "dicee + ce"       | dicee                     | dice
                    "dice + ce"        | "dice + "          | dice +                    | dice
                    "formatVersion"    | formatVersion      | plan.json                 | line
                    """, quoteCharacter = '`')
    void wrongPlan(String right, String wrong, String what, String valid) throws IOException {
        work.data()
                .text("plan.json", work.data().plan(List.of(8, 8, 8)).toJson().replace(right, wrong));
        work.assertTrainingRefused(work.data().planFile(), what, valid);
    }

    @Test
    void planOfAnotherDataset() throws IOException {
        work.data()
                .text(
                        "dataset.json",
                        TinyDataset.description(2).replace("{\"0\": \"T1\"}", "{\"0\": \"T1\", \"1\": \"T2\"}"));
        for (String id : TinyDataset.CASES) {
            work.data().image("imagesTr/" + id + "_0001.nii.gz", TinyDataset.image(3));
        }
        work.assertTrainingRefused(work.data().planFile(), "[T1]", "[T1, T2]");
    }

    @Test
    void missingPlan() throws IOException {
        Files.delete(work.data().planFile());
        work.assertTrainingRefused(work.data().planFile(), "no such file");
    }

    @Test
    void wrongLossText() throws IOException {
        List<Path> before = work.tree();
        work.assertRefused(work.train("--loss", "dicee + ce"), before, "dicee", "dice");
    }

    @Test
    void wrongOptionsAreUsageErrors() throws IOException {
        List<Path> before = work.tree();
        for (List<String> wrong :
                List.of(List.of("--fold", "7"), List.of("--epochs", "many"), List.of("--epochs", "0"))) {
            CommandRun run = work.train(wrong.toArray(String[]::new));
            assertThat(run.exitCode()).as(run.err()).isEqualTo(ExitCode.USAGE);
            assertThat(run.err()).contains(wrong);
        }
        assertThat(work.tree()).isEqualTo(before);
    }

    @Test
    void outputInsideAFile() throws IOException {
        Path file = Files.createFile(folder.resolve("file"));
        work = work.withModel(file.resolve("model"));
        work.assertTrainingRefused(work.model(), file + " is a file");
        work = work.withModel(file);
        work.assertTrainingRefused(file + " is a file");
        work = work.withModel(folder.resolve("model"));
        work.train();
        List<Path> before = work.tree();
        work.assertRefused(
                work.predict(work.data().path("imagesTs"), file.resolve("masks")), before, file + " is a file");
        work.assertRefused(work.predict(work.data().path("imagesTs"), file), before, file + " is a file");
    }

    @Test
    void outputThatIsNotWritable() throws IOException {
        assumeFalse(System.getProperty("user.name").equals("root"), "skipped: root may write everywhere");
        Path locked = Files.createDirectory(folder.resolve("locked"));
        Files.setPosixFilePermissions(locked, PosixFilePermissions.fromString("r-xr-xr-x"));
        work = work.withModel(locked.resolve("model"));
        work.assertTrainingRefused(locked, "not writable");
    }
}
