package dev.voxgrad.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.voxgrad.cli.data.BrainDataset;
import dev.voxgrad.engine.image.Grid;
import dev.voxgrad.engine.image.NiftiReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

final class DataCommandTest {
    @TempDir
    private Path folder;

    private Path dataset(Path parent) {
        CommandRun run = CommandRun.of("data", "brain", "--phantom", "--json", "-o", parent.toString());
        assertThat(run.exitCode()).as(run.err()).isZero();
        JsonNode made = JsonMapper.shared().readTree(run.out());
        assertThat(made.get("real").booleanValue()).isFalse();
        return Path.of(made.get("folder").asString());
    }

    @Test
    void writesARawDataSetInNnunetsLayout() {
        Path made = dataset(folder);
        assertThat(made).isEqualTo(folder.resolve(BrainDataset.NAME));
        JsonNode json = JsonMapper.shared().readTree(made.resolve("dataset.json"));
        assertThat(json.get("labels").get("background").intValue()).isZero();
        assertThat(json.get("labels").size()).isEqualTo(5);
        assertThat(json.get("numTraining").intValue()).isEqualTo(1);
        var image = NiftiReader.read(made.resolve("imagesTs/hemisphere_right_0000.nii.gz"));
        var labels = NiftiReader.readLabels(made.resolve("labelsTs/hemisphere_right.nii.gz"));
        assertThat(image.volume().grid()).isEqualTo(new Grid(60, 72, 30));
        assertThat(image.volume().geometry()).isEqualTo(labels.labels().geometry());
        assertThat(labels.labels().highestLabel()).isEqualTo(4);
        assertThat(made.resolve("imagesTr/hemisphere_left_mirrored_0000.nii.gz"))
                .exists();
        assertThat(made.resolve("labelsTr/hemisphere_left_mirrored.nii.gz")).exists();
    }

    @Test
    void twiceGivesTheSameBytes() throws IOException {
        Path image = dataset(folder).resolve("imagesTr/hemisphere_left_mirrored_0000.nii.gz");
        byte[] first = Files.readAllBytes(image);
        dataset(folder);
        assertThat(Files.readAllBytes(image)).isEqualTo(first);
    }

    @Test
    void oddSpacingIsAUsageError() {
        assertThat(CommandRun.of("data", "brain", "--spacing", "7").exitCode()).isEqualTo(ExitCode.USAGE);
    }
}
