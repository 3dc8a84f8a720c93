package dev.voxgrad.engine.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.voxgrad.engine.DataException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DatasetDescriptionTest {
    private static final String VALID = """
            {"channel_names": {"0": "T1", "1": "T2"}, "labels": {"background": 0, "a": 1, "b": [2]},
             "numTraining": 3, "file_ending": ".nii.gz", "reference": "somewhere", "unknown": {"x": 1}}
            """;

    @TempDir
    private Path folder;

    private DatasetDescription read(String json) throws IOException {
        Files.writeString(folder.resolve("dataset.json"), json);
        return DatasetDescription.read(folder);
    }

    @Test
    void unknownKeysAreIgnoredAndSingleListsAreLabels() throws IOException {
        DatasetDescription d = read(VALID);
        assertThat(d.channelNames()).containsExactly("T1", "T2");
        assertThat(d.labels().byName()).containsEntry("b", 2);
        assertThat(d.numTraining()).isEqualTo(3);
        assertThat(d.fileEnding()).isEqualTo(".nii.gz");
        assertThat(d.dataset()).isEmpty();
    }

    @Test
    void olderNameOfTheChannelsIsRead() throws IOException {
        assertThat(read(VALID.replace("channel_names", "modality")).channelNames())
                .containsExactly("T1", "T2");
    }

    @Test
    void listedCasesAreRead() throws IOException {
        DatasetDescription d = read(VALID.replace(
                "\"unknown\"",
                "\"dataset\": {\"p\": {\"images\": [\"x.nii\", \"y.nii\"], \"label\": \"z.nii\"}}, \"unknown\""));
        assertThat(d.dataset().get("p").images()).containsExactly("x.nii", "y.nii");
    }

    @Test
    void errorsNameFileKeyAndWhatIsValid() {
        assertWrong("\"numTraining\": 3,", "", "missing keys [numTraining]", "present are");
        assertWrong("\"numTraining\": 3", "\"numTraining\": 2.5", "numTraining", "whole number");
        assertWrong("\"1\": \"T2\"", "\"2\": \"T2\"", "channel_names", "\"0\", \"1\"");
        assertWrong("\".nii.gz\"", "\"nii\"", "file_ending", "dot");
        assertWrong("\"background\": 0", "\"background\": 1", "background");
        assertWrong("\"background\": 0", "\"background\": [0]", "labels.background");
        assertWrong("[2]", "[1, 2]", "labels.b is the region [1,2]", "not supported");
        assertWrong("[2]", "\"x\"", "labels.b", "whole number");
        assertWrong("[2]", "5", "without a gap");
        assertWrong("{\"channel", "[{\"channel", "not valid JSON");
    }

    private void assertWrong(String text, String replacement, String... message) {
        assertThat(VALID).contains(text);
        assertThatThrownBy(() -> read(VALID.replace(text, replacement)))
                .isInstanceOf(DataException.class)
                .hasMessageContaining(folder.resolve("dataset.json").toString())
                .hasMessageContainingAll(message);
    }

    @Test
    void missingFileNamesTheFolder() {
        assertThatThrownBy(() -> DatasetDescription.read(folder))
                .isInstanceOf(DataException.class)
                .hasMessageContainingAll(folder.toString(), "no such file");
    }
}
