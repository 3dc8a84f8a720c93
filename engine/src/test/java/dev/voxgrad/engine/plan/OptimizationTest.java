package dev.voxgrad.engine.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.optim.Ranger21;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OptimizationTest {
    @TempDir
    private Path folder;

    private static final String LAST_OLD_KEY = "\"seed\" : 0";

    private String base = Plans.small("zscore").toJson();

    private void change(String text, String replacement) {
        assertThat(base).contains(text, "\"sgd\"", "\"poly\"", LAST_OLD_KEY);
        base = base.replace(text, replacement);
    }

    /** The plan of {@link Plans#small} with another text for optimizer and schedule, and an object of options. */
    private Plan plan(String optimizer, String schedule, String options) {
        String json = base;
        Path file = folder.resolve("plan.json");
        try {
            Files.writeString(
                    file,
                    json.replace("\"sgd\"", "\"" + optimizer + "\"")
                            .replace("\"poly\"", "\"" + schedule + "\"")
                            .replace(LAST_OLD_KEY, LAST_OLD_KEY + ", \"optimization\" : " + options));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return Plan.read(file);
    }

    @Test
    void defaultsAreNotWritten() {
        String json = Plans.small("zscore").toJson();
        assertThat(json).doesNotContain("optimization", "ranger21", "weightEma");
        assertThat(plan("sgd", "poly", "{}").toJson()).isEqualTo(json);
        assertThat(plan("sgd", "poly", "{ \"nesterov\" : true, \"ranger21\" : { \"clip\" : 0.01 } }")
                        .toJson())
                .isEqualTo(json);
        assertThat(plan("sgd", "poly", "{}").training().optimization()).isEqualTo(Optimization.standard());
    }

    @Test
    void onlyWhatDiffersIsWrittenAndReadAgain() {
        Plan plan = plan(
                "ranger21",
                "warm-up-down",
                "{ \"weightEma\" : 0.99, \"ranger21\" : { \"decayScope\" : \"reference\", \"clip\" : 0 } }");
        Optimization options = plan.training().optimization();
        assertThat(options.weightEma()).isEqualTo(0.99);
        assertThat(options.ranger21().decayScope()).isEqualTo(Ranger21.DecayScope.REFERENCE);
        assertThat(options.ranger21().clip()).isZero();
        assertThat(options.ranger21().lookaheadSteps()).isEqualTo(5);
        assertThat(plan.toJson()).containsSubsequence("optimization", "ranger21", "clip", "decayScope", "weightEma");
        assertThat(plan.toJson()).doesNotContain("lookahead", "beta1", "milestones");
        Path file = folder.resolve("again.json");
        plan.write(file);
        assertThat(Plan.read(file)).isEqualTo(plan);
    }

    @Test
    void everyOptimizerAndScheduleIsReachable() {
        for (String optimizer : new String[] {"sgd", "adam", "adamw", "ranger21"}) {
            for (String schedule : new String[] {"poly", "cosine", "constant", "warm-up-down"}) {
                assertThat(plan(optimizer, schedule, "{}").training().optimizer())
                        .isEqualTo(optimizer);
            }
            plan(optimizer, "step", "{ \"milestones\" : [2, 5], \"gamma\" : 0.5 }");
        }
        plan("adamw", "poly", "{ \"amsgrad\" : true, \"beta2\" : 0.99 }");
        plan("sgd", "cosine", "{ \"nesterov\" : false, \"dampening\" : 0.5, \"cosineEnd\" : 1e-5 }");
        plan("sgd", "poly", "{ \"warmUpSteps\" : 10, \"ratePerStep\" : true, \"polyPower\" : 2 }");
    }

    @Test
    void wrongOptionsAreErrorsThatListWhatIsValid() {
        assertWrong("sgd", "poly", "{ \"momentun\" : 1 }", "unknown keys [momentun]", "nesterov", "weightEma");
        assertWrong("ranger21", "poly", "{ \"ranger21\" : { \"agc\" : 1 } }", "unknown keys [agc]", "clip", "normLoss");
        assertWrong("ranger21", "poly", "{ \"ranger21\" : { \"clip\" : -1 } }", "ranger21.clip is -1.0", "0 (off)");
        assertWrong("ranger21", "poly", "{ \"ranger21\" : { \"decayScope\" : \"last\" } }", "[all, reference]");
        assertWrong("sgd", "poly", "{ \"weightEma\" : 1 }", "optimization.weightEma is 1.0", "0 (off)");
        assertWrong("sgd", "poly", "{ \"dampening\" : 0.5 }", "dampening is 0.5", "set nesterov to false");
        assertWrong("sgd", "step", "{}", "milestones is []", "[100, 200]");
        assertWrong("sgd", "step", "{ \"milestones\" : [5, 2] }", "milestones is [5, 2]", "ascending");
        assertWrong("sgd", "step", "{ \"milestones\" : [1000] }", "milestones is [1000]", "before the end (1000)");
    }

    @Test
    void optionsWithoutEffectAreErrors() {
        assertWrong("sgd", "poly", "{ \"amsgrad\" : true }", "amsgrad is set", "sgd does not use it", "[adam, adamw]");
        assertWrong("adamw", "poly", "{ \"nesterov\" : false }", "optimizer adamw does not use it", "[sgd]");
        assertWrong("adamw", "poly", "{ \"ranger21\" : { \"clip\" : 1 } }", "ranger21 is set", "[ranger21]");
        assertWrong("sgd", "cosine", "{ \"polyPower\" : 2 }", "schedule cosine does not use it", "[poly]");
        assertWrong("sgd", "poly", "{ \"warmDownStart\" : 0.5 }", "[warm-up-down]");
        assertWrong("ranger21", "poly", "{ \"ranger21\" : { \"clip\" : 0, \"clipEps\" : 0.1 } }", "clipEps is 0.1");
        assertWrong("ranger21", "poly", "{ \"ranger21\" : { \"centralizeConvolutionsOnly\" : true } }", "unknown keys");
        assertWrong("sgd", "warm-up-down", "{ \"warmDownStart\" : 1, \"warmDownFloor\" : 0 }", "warmDownFloor is 0.0");
        change("\"momentum\" : 0.99", "\"momentum\" : 0.0");
        assertWrong(
                "sgd", "poly", "{ \"nesterov\" : false, \"dampening\" : 0.5 }", "0, because training.momentum is 0");
    }

    @Test
    void ratesThatWouldRiseAreErrors() {
        assertWrong("sgd", "cosine", "{ \"cosineEnd\" : 0.02 }", "cosineEnd is 0.02", "training.learningRate", "0.01");
        assertWrong("sgd", "warm-up-down", "{ \"warmDownFloor\" : 0.02 }", "warmDownFloor is 0.02", "at most");
        change("\"learningRate\" : 0.01", "\"learningRate\" : 1e-5");
        assertWrong("sgd", "warm-up-down", "{}", "warmDownFloor is 3.0E-5", "training.learningRate, which is 1.0E-5");
        plan("sgd", "warm-up-down", "{ \"warmDownFloor\" : 0 }");
        plan("sgd", "warm-up-down", "{ \"warmDownStart\" : 1 }");
        plan("sgd", "poly", "{}");
    }

    /** 1000 epochs of 250 steps. */
    @Test
    void warmUpAndMilestonesMustLieWithinTheTraining() {
        assertWrong("sgd", "poly", "{ \"warmUpSteps\" : 250000 }", "warmUpSteps is 250000", "the 250000 steps");
        plan("sgd", "poly", "{ \"warmUpSteps\" : 249999 }");
        assertWrong(
                "sgd", "step", "{ \"milestones\" : [2, 9], \"warmUpSteps\" : 500 }", "[2, 9]", "warmUpSteps is 500");
        plan("sgd", "step", "{ \"milestones\" : [2, 9], \"warmUpSteps\" : 499 }");
        change("\"epochs\" : 1000", "\"epochs\" : 8589935");
        assertWrong("sgd", "poly", "{}", "training.iterationsPerEpoch is 250; use at most 249");
    }

    private void assertWrong(String optimizer, String schedule, String options, String... message) {
        assertThatThrownBy(() -> plan(optimizer, schedule, options))
                .isInstanceOf(ConfigException.class)
                .hasMessageContainingAll(message);
    }
}
