package dev.voxgrad.engine.train;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.voxgrad.engine.DataException;
import dev.voxgrad.engine.op.Loss;
import dev.voxgrad.engine.plan.PreparedCase;
import dev.voxgrad.engine.tensor.Device;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A training that cannot go on names the cases to look at. */
class TrainerErrorsTest {
    @TempDir
    Path folder;

    private void train(Loss loss, List<PreparedCase> cases, List<PreparedCase> validation) throws InterruptedException {
        try (Device device = Device.cpu(1)) {
            new Trainer(
                            TinyTraining.plan(20, "sgd"),
                            loss,
                            cases,
                            validation,
                            device,
                            new ModelFolder(folder.resolve("m")),
                            TrainingListener.silent())
                    .start();
        }
    }

    @Test
    void lossThatIsNeverFiniteStopsNamingTheCases() {
        Loss nan = (tape, logits, labels) -> {
            var value = TinyTraining.LOSS.apply(tape, logits, labels);
            value.fill(Float.NaN);
            return value;
        };
        assertThatThrownBy(() -> train(nan, TinyTraining.cases(4, 1), List.of()))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("3 steps in a row")
                .hasMessageContaining("case1_");
    }

    /** The patch beside the bad one is of a good case, which is not named. */
    @Test
    void labelOutsideTheClassesNamesItsCaseOnly() {
        assertThatThrownBy(() -> train(TinyTraining.LOSS, oneBad(), List.of()))
                .isInstanceOf(DataException.class)
                .hasMessageStartingWith("cases [case5_4]: loss: ")
                .hasMessageContaining("a label that is not a class (0 to 2): 9");
    }

    @Test
    void labelOutsideTheClassesOfAValidationCaseNamesItToo() {
        assertThatThrownBy(() -> train(TinyTraining.LOSS, TinyTraining.cases(2, 1), oneBad()))
                .isInstanceOf(DataException.class)
                .hasMessageStartingWith("cases [case5_4]: loss: ");
    }

    /** A loss of the user may refuse labels that are classes; then any case of the batch may be meant. */
    @Test
    void otherErrorsOfALossNameAllCasesOfTheBatch() {
        Loss picky = (tape, logits, labels) -> {
            throw new DataException("picky: too few lesions");
        };
        assertThatThrownBy(() -> train(picky, TinyTraining.cases(1, 7), List.of()))
                .isInstanceOf(DataException.class)
                .hasMessage("cases [case7_0, case7_0]: picky: too few lesions");
    }

    /** Eight cases, of which one has a 9 in the middle, which every patch contains. */
    private static List<PreparedCase> oneBad() {
        List<PreparedCase> cases = TinyTraining.cases(8, 5);
        PreparedCase bad = cases.get(4);
        Arrays.fill(bad.labels(), (byte) 0);
        bad.labels()[(5 * bad.size().h() + 5) * bad.size().w() + 8] = 9;
        return cases;
    }
}
