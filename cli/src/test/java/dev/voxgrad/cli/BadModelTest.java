package dev.voxgrad.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Models, images, masks and folders that cannot be used: as {@link BadInputTest}, for the commands after training. */
final class BadModelTest {
    @TempDir
    private Path folder;

    private CommandFolder work;

    @BeforeEach
    void validDataset() {
        work = CommandFolder.of(folder);
    }

    @Test
    void missingFolders() throws IOException {
        Path nowhere = folder.resolve("nowhere");
        List<Path> before = work.tree();
        work.assertRefused(
                CommandRun.of("train", nowhere.toString(), "-o", work.model().toString()), before, nowhere, "folder");
        work.assertRefused(work.predict(work.data().path("imagesTs")), before, work.model(), "trained model");
        work.assertRefused(work.evaluate(nowhere, work.data().path("labelsTr")), before, nowhere, "exists");
        work.assertRefused(work.evaluate(work.data().path("labelsTr"), nowhere), before, nowhere, "exists");
        work.assertRefused(CommandRun.of("resume", work.model().toString()), before, work.model(), "trained model");
        work.train();
        work.assertRefused(work.predict(nowhere), work.tree(), nowhere, "exists");
    }

    @Test
    void fileInPlaceOfAFolder() throws IOException {
        Path file = Files.createFile(folder.resolve("file"));
        List<Path> before = work.tree();
        work.assertRefused(
                CommandRun.of("train", file.toString(), "-o", work.model().toString()), before, file, "folder");
        work.assertRefused(work.evaluate(file, work.data().path("labelsTr")), before, file, "folder");
        work = work.withModel(file);
        work.assertRefused(work.predict(work.data().path("imagesTs")), before, file, "folder");
    }

    @Test
    void damagedCaseDoesNotStopTheOthers() throws IOException {
        work.train();
        Path masks = work.masks();
        Path damaged = work.data().path("imagesTs/damaged_0000.nii.gz");
        Files.copy(CommandFolder.golden("bad_truncated.nii.gz"), damaged);
        List<Path> expected = new ArrayList<>(work.tree());
        CommandRun run = work.predict(work.data().path("imagesTs"), masks);
        expected.addAll(List.of(masks, masks.resolve("p.nii.gz"), masks.resolve("q.nii.gz")));
        expected.sort(null);
        work.assertRefused(run, expected, "case damaged", damaged);
        assertThat(run.out()).contains(masks.resolve("p.nii.gz").toString());
    }

    @Test
    void damagedModel() throws IOException {
        work.train();
        Path weights = work.model().resolve("checkpoint_final.safetensors");
        Files.write(weights, Arrays.copyOf(Files.readAllBytes(weights), 5000));
        List<Path> before = work.tree();
        work.assertRefused(work.predict(work.data().path("imagesTs")), before, weights);
        Files.delete(weights);
        Files.delete(work.model().resolve("checkpoint_best.safetensors"));
        before = work.tree();
        work.assertRefused(work.predict(work.data().path("imagesTs")), before, work.model(), "no checkpoint");
    }

    @Test
    void folderThatIsNoModel() throws IOException {
        work = work.withModel(Files.createDirectory(folder.resolve("empty")));
        List<Path> before = work.tree();
        work.assertRefused(work.predict(work.data().path("imagesTs")), before, work.model(), "trained model");
        work.assertRefused(CommandRun.of("resume", work.model().toString()), before, work.model(), "trained model");
    }

    @Test
    void inputWithoutImages() throws IOException {
        work.train();
        List<Path> before = work.tree();
        work.assertRefused(
                work.predict(work.data().path("labelsTr")), before, work.data().path("labelsTr"), "CASE_0000");
    }

    @Test
    void masksIntoTheInputFolder() throws IOException {
        work.train();
        List<Path> before = work.tree();
        work.assertRefused(
                work.predict(work.data().path("imagesTs"), work.data().path("imagesTs")),
                before,
                work.data().path("imagesTs"),
                "input folder");
    }

    @Test
    void missingReferenceOrMask() throws IOException {
        Path references = Files.createDirectory(folder.resolve("references"));
        Path q = work.data().path("labelsTr/q.nii.gz");
        Files.copy(q, references.resolve("q.nii.gz"), StandardCopyOption.COPY_ATTRIBUTES);
        List<Path> before = work.tree();
        work.assertRefused(
                work.evaluate(work.data().path("labelsTr"), references),
                before,
                references,
                "[p.nii.gz]",
                "add the files");
        work.assertRefused(
                work.evaluate(references, work.data().path("labelsTr")),
                before,
                references,
                "[p.nii.gz]",
                "add the files");
    }
}
