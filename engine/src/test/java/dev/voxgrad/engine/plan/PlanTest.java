package dev.voxgrad.engine.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.DataException;
import dev.voxgrad.engine.nn.NetworkSpec;
import dev.voxgrad.engine.nn.Networks;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PlanTest {
    @TempDir
    private Path folder;

    @Test
    void aPlanIsReadAsItWasWritten() {
        Plan plan = Plans.small("zscore");
        Path file = folder.resolve("plan.json");
        plan.write(file);
        Plan read = Plan.read(file);
        assertThat(read).isEqualTo(plan);
        assertThat(read.labels().keySet()).containsExactly("background", "a", "b");
        assertThat(read.toJson()).isEqualTo(plan.toJson());
    }

    /** Keys that came later: a file without them is read, and written as it was. */
    @Test
    void optionalKeysOfTheNetworkMayBeMissing() throws IOException {
        Path file = folder.resolve("plan.json");
        String text = Plans.small("zscore").toJson();
        assertThat(text).doesNotContain("activation", "dropout", "headFeatures");
        Files.writeString(file, text.replace("\"eps\" : 1.0E-5", "\"eps\" : 1.0E-5, \"activation\" : \"mish\""));
        Plan mish = Plan.read(file);
        assertThat(mish.network().activation()).isEqualTo("mish");
        mish.write(file);
        assertThat(Plan.read(file)).isEqualTo(mish);
        assertThat(mish.toJson()).contains("\"activation\" : \"mish\"").doesNotContain("dropout");
        assertWrong("\"PlainConvUNet\"", "\"VNet\"", "no architecture \"VNet\"", "ResidualEncoderUNet");
    }

    @Test
    void regionsAreTheChannels() {
        Plan plan = Plans.small("zscore").withOutputs(Outputs.SIGMOID);
        Path file = folder.resolve("plan.json");
        String regions = "\"regions\" : [{\"name\": \"whole\", \"labels\": [1, 2], \"value\": 1}], ";
        String key = "\"batchSize\" :";
        String json = plan.toJson().replace(key, regions + key);
        assertThatThrownBy(() -> readText(json))
                .hasMessageContainingAll("network.classes is 2", "1, as many as regions");
        Plan read = readText(json.replace("\"classes\" : 2", "\"classes\" : 1"));
        assertThat(read.labelNames().regions()).containsExactly(new LabelRegion("whole", List.of(1, 2), 1));
        read.write(file);
        assertThat(Plan.read(file)).isEqualTo(read);
        assertThat(read.with(p -> p.batchSize = 3).with(p -> p.batchSize = read.batchSize()))
                .isEqualTo(read);
        assertThatThrownBy(() -> read.withOutputs(Outputs.SOFTMAX)).hasMessageContaining("regions may overlap");
        assertThatThrownBy(() -> readText(json.replace("[1, 2]", "[1]")))
                .hasMessageContaining("must each be in a region");
        assertThatThrownBy(() -> readText(json.replace(", \"value\": 1", ""))).hasMessageContaining("regions[0].value");
    }

    private Plan readText(String json) {
        Path file = folder.resolve("regions.json");
        try {
            Files.writeString(file, json);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return Plan.read(file);
    }

    /** With sigmoid the background has no channel; plans that say nothing are for softmax, and stay as they are. */
    @Test
    void outputsDecideTheChannels() {
        Plan softmax = Plans.small("zscore");
        assertThat(softmax.outputs()).isEqualTo(Outputs.SOFTMAX);
        assertThat(softmax.toJson()).doesNotContain("outputs");
        Plan sigmoid = softmax.withOutputs(Outputs.SIGMOID);
        assertThat(sigmoid.network().classes()).isEqualTo(2);
        assertThat(sigmoid.toJson()).contains("\"outputs\" : \"sigmoid\"");
        Path file = folder.resolve("plan.json");
        sigmoid.write(file);
        assertThat(Plan.read(file)).isEqualTo(sigmoid);
        assertThat(sigmoid.withOutputs(Outputs.SOFTMAX).toJson()).isEqualTo(softmax.toJson());
        String key = "\"batchSize\" :";
        assertWrong(key, "\"outputs\" : \"sigmoid\", " + key, "network.classes is 3", "use 2", "background");
        assertWrong(key, "\"outputs\" : \"tanh\", " + key, "outputs", "tanh", "[softmax, sigmoid]");
    }

    @Test
    void twoDimensionalPlansHaveDepthOne() {
        Plan plan = Plans.of(List.of(5.0, 1.0, 1.0), List.of(1, 16, 16), Plans.labels("a"), "none", "zscore");
        assertThat(plan.patch().d()).isEqualTo(1);
        assertThat(plan.network().dim()).isEqualTo(2);
    }

    @Test
    void unknownKeysAreErrorsThatListTheValidOnes() {
        assertWrong("\"batchSize\"", "\"batchsize\"", "batchsize", "valid keys", "batchSize");
        assertWrong("\"momentum\"", "\"momentun\"", "momentun", "training", "valid keys", "momentum");
    }

    @Test
    void wrongValuesAreErrorsThatNameKeyAndWhatIsValid() {
        assertWrong("\"sgd\"", "\"lion\"", "training.optimizer is lion", "[sgd, adam, adamw, ranger21]");
        assertWrong("\"poly\"", "\"exp\"", "training.schedule is exp", "poly, cosine, step, constant, warm-up-down");
        assertWrong("\"zscore\"", "\"ct\"", "normalization \"ct\"", "zscore-nonzero");
        assertWrong("\"batchSize\" : 2", "\"batchSize\" : 0", "batchSize is 0", "at least 1");
        assertWrong("\"batchSize\" : 2", "\"batchSize\" : \"two\"", "batchSize", "whole number");
        assertWrong("\"batchSize\" : 2", "\"batchSize\" : 2.5", "batchSize", "whole number");
        assertWrong("\"formatVersion\" : 1", "\"formatVersion\" : 2", "formatVersion is 2", "use 1");
        assertWrong("\"a\" : 1", "\"a\" : 2", "\"a\" and \"b\" both have the value 2");
        assertWrong("\"batchSize\" : 2,", "", "missing keys [batchSize]");
        assertWrong("\"classes\" : 3", "\"classes\" : 4", "network.classes is 4", "3");
        assertWrong("\"patchSize\" : [ 8,", "\"patchSize\" : [ 9,", "patchSize", "divisible");
    }

    @Test
    void networkAndTrainingMustAgreeOnDeepSupervision() {
        String training = "\"deepSupervision\" : true,\n    \"earlyStopPatience\"";
        assertWrong(
                training,
                training.replace("true", "false"),
                "training.deepSupervision is false",
                "network.deepSupervision is true",
                "the same value in both");
        String network = "\"deepSupervision\" : true,\n    \"negativeSlope\"";
        assertWrong(network, network.replace("true", "false"), "network.deepSupervision is false");
    }

    /** Networks that cannot have it say so. */
    @Test
    void networksWithASingleHeadNeedATrainingWithoutDeepSupervision() {
        Plan plan = Plans.small("zscore");
        NetworkSpec basic = Networks.basicUNet(3, 1, 3, List.of(4, 4, 4, 4, 4, 4), NetworkSpec.MISH, 0);
        assertThatThrownBy(() -> plan.with(p -> {
                    p.patchSize = List.of(32, 32, 32);
                    p.network = basic;
                }))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("use the same value in both, false for a BasicUNet");
    }

    private void assertWrong(String text, String replacement, String... message) {
        String json = Plans.small("zscore").toJson();
        assertThat(json).contains(text);
        Path file = folder.resolve("plan.json");
        try {
            Files.writeString(file, json.replace(text, replacement));
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
        assertThatThrownBy(() -> Plan.read(file))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining(file.toString())
                .hasMessageContainingAll(message);
    }

    @Test
    void textThatIsNoJsonNamesFileAndLine() throws IOException {
        Path file = folder.resolve("plan.json");
        Files.writeString(file, "{\n \"name\": }");
        assertThatThrownBy(() -> Plan.read(file))
                .isInstanceOf(ConfigException.class)
                .hasMessageContainingAll(file.toString(), "line 2");
        assertThatThrownBy(() -> Plan.read(folder.resolve("none.json")))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("none.json: no such file");
    }

    @Test
    void labelRulesAreChecked() {
        assertThatThrownBy(() -> new LabelNames(Map.of("a", 1))).hasMessageContaining("background");
        assertThatThrownBy(() -> new LabelNames(Map.of("background", 1, "a", 0)))
                .hasMessageContaining("background");
        assertThatThrownBy(() -> new LabelNames(Map.of("background", 0, "a", 2)))
                .hasMessageContaining("without a gap");
        assertThatThrownBy(() -> new LabelNames(Map.of("background", 0, "ignore", 1, "a", 2)))
                .hasMessageContaining("ignore");
        LabelNames names = new LabelNames(Map.of("background", 0, "a", 1, "ignore", 2));
        assertThat(names.classes()).isEqualTo(2);
        assertThat(names.ignore()).hasValue(2);
        assertThat(names.foreground()).containsExactly(1);
        assertThat(names.name(1)).isEqualTo("a");
    }
}
