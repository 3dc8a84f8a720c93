package dev.voxgrad.engine.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.voxgrad.engine.DataException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
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
        assertWrong("[2]", "\"x\"", "labels.b", "whole number");
        assertWrong("[2]", "5", "without a gap");
        assertWrong("{\"channel", "[{\"channel", "not valid JSON");
    }

    @Test
    void listsAreRegions() throws IOException {
        LabelNames names = read(VALID.replace("[2]", "[1, 2], \"c\": [3], \"ignore\": 4")
                        .replace("\"numTraining\"", "\"regions_class_order\": [1, 2, 3], \"numTraining\""))
                .labels();
        assertThat(names.regions())
                .containsExactly(
                        new LabelRegion("a", List.of(1), 1),
                        new LabelRegion("b", List.of(1, 2), 2),
                        new LabelRegion("c", List.of(3), 3));
        assertThat(names.byName())
                .isEqualTo(Map.of("background", 0, "label 1", 1, "label 2", 2, "label 3", 3, "ignore", 4));
        assertThat(names.entries()).isEqualTo(5);
        assertThat(names.foreground()).containsExactly(1, 2, 3);
    }

    @Test
    void wrongRegionsNameTheRule() {
        assertWrong("[2]", "[1, 2]", "regions_class_order", "2 labels", "[a, b]", "overwrite");
        assertWrongRegions("[1, 2]", "[1]", "regions_class_order", "2 labels");
        assertWrongRegions("[1, 2]", "[1, \"x\"]", "regions_class_order", "whole number");
        assertWrongRegions("[1, 2]", "[1, 3]", "\"b\" is written as 3", "1 to 2");
        assertWrongRegions("[1, 2]", "[0, 2]", "\"a\" is written as 0", "1 to 2");
        assertWrongLists("[0, 1, 2]", "labels.b", "not 0");
        assertWrongLists("[2, 4]", "without a gap");
        assertWrongLists("[2, 2]", "\"b\" names a label twice");
        assertWrongLists("[2, -1]", "labels.b", "whole number");
        assertWrongLists("[1, 2], \"c\": [2, 1]", "regions_class_order", "3 labels");
        assertWrongLists("[1, 2], \"c\": []", "labels.c", "one label or more");
        assertWrongLists("[1, 2], \"ignore\": [3]", "labels.ignore", "whole number");
        assertWrongLists("[1, 2], \"ignore\": 2", "both have the value 2");
        assertWrongLists("[1, 2], \"ignore\": 4", "without a gap");
    }

    @Test
    void equalRegionsAreRefused() {
        assertThatThrownBy(() -> read(VALID.replace("[2]", "[1, 2], \"c\": [2, 1]")
                        .replace("\"numTraining\"", "\"regions_class_order\": [1, 2, 2], \"numTraining\"")))
                .isInstanceOf(DataException.class)
                .hasMessageContainingAll("\"c\" has the same labels as \"b\"");
    }

    /** With the regions a and b, and this in place of their order. */
    private void assertWrongRegions(String text, String replacement, String... message) {
        String json = VALID.replace("[2]", "[2, 1]")
                .replace("\"numTraining\"", "\"regions_class_order\": [1, 2], \"numTraining\"");
        assertThatThrownBy(() -> read(json.replace(text, replacement)))
                .isInstanceOf(DataException.class)
                .hasMessageContaining(folder.resolve("dataset.json").toString())
                .hasMessageContainingAll(message);
    }

    /** With the regions a and b, and this in place of the labels of b. */
    private void assertWrongLists(String labels, String... message) {
        assertWrongRegions("[2, 1]", labels, message);
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
