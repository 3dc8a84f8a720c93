package dev.voxgrad.engine.metric;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.voxgrad.engine.DataException;
import dev.voxgrad.engine.image.Geometry;
import dev.voxgrad.engine.image.Grid;
import dev.voxgrad.engine.plan.DatasetFolder;
import dev.voxgrad.engine.plan.LabelNames;
import dev.voxgrad.engine.plan.Plans;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DiceEvaluatorTest {
    private static final DiceEvaluator EVALUATOR = new DiceEvaluator(new LabelNames(Plans.labels("a", "b")));

    @TempDir
    private Path folder;

    @Test
    void countsAreThoseOfTheDefinition() {
        short[] prediction = {0, 1, 1, 2, 1, 0};
        short[] reference = {0, 1, 0, 1, 1, 0};
        Map<Integer, Confusion> counts = EVALUATOR.evaluate(prediction, reference);
        assertThat(counts.get(1)).isEqualTo(new Confusion(2, 1, 1, 2));
        assertThat(counts.get(2)).isEqualTo(new Confusion(0, 1, 0, 5));
        assertThat(counts.get(1).dice()).isCloseTo(2.0 / 3, within(1e-12));
        assertThat(counts.get(1).iou()).isEqualTo(0.5);
        assertThat(counts.get(2).dice()).isZero();
        assertThat(Confusion.ZERO.dice()).isNaN();
    }

    @Test
    void ignoredVoxelsOfTheReferenceDoNotCount() {
        DiceEvaluator evaluator = new DiceEvaluator(new LabelNames(Plans.labels("a", "ignore")));
        Map<Integer, Confusion> counts = evaluator.evaluate(new short[] {1, 1, 0, 2}, new short[] {2, 1, 0, 0});
        assertThat(counts).containsOnlyKeys(1);
        assertThat(counts.get(1)).isEqualTo(new Confusion(1, 0, 0, 2));
    }

    @Test
    void meansLeaveOutNaN() {
        Summary summary = new Summary(List.of(
                new Summary.CaseScore("p", "r", Map.of(1, new Confusion(1, 1, 0, 0), 2, Confusion.ZERO)),
                new Summary.CaseScore("p", "r", Map.of(1, Confusion.ZERO, 2, Confusion.ZERO))));
        assertThat(summary.mean(1, "Dice")).isCloseTo(2.0 / 3, within(1e-12));
        assertThat(summary.mean(2, "Dice")).isNaN();
        assertThat(summary.foregroundMean("Dice")).isNaN();
        assertThat(summary.foregroundNanMean("Dice")).isCloseTo(2.0 / 3, within(1e-12));
        assertThat(summary.toJson(false)).contains("\"Dice\" : NaN");
        assertThat(summary.toJson(true)).contains("\"Dice\" : null").doesNotContain("NaN,");
        String json = summary.toJson(true);
        assertThat(json.indexOf("foreground_mean")).isLessThan(json.indexOf("\"mean\""));
        assertThat(json.indexOf("\"mean\"")).isLessThan(json.indexOf("metric_per_case"));
    }

    @Test
    void foldersAreComparedFileByFile() throws IOException {
        DatasetFolder data = new DatasetFolder(folder);
        data.labels("pred/p.nii.gz", DatasetFolder.blocks());
        data.labels("ref/p.nii.gz", DatasetFolder.blocks());
        data.labels("ref/q.nii.gz", DatasetFolder.blocks());
        Path pred = folder.resolve("pred");
        Path ref = folder.resolve("ref");
        Summary summary = EVALUATOR.evaluateFolders(pred, ref, ".nii.gz", false);
        assertThat(summary.mean(1, "Dice")).isEqualTo(1);
        summary.write(folder.resolve("summary.json"), false);
        assertThat(Files.readString(folder.resolve("summary.json"))).contains("p.nii.gz");
        assertThatThrownBy(() -> EVALUATOR.evaluateFolders(pred, ref, ".nii.gz", true))
                .isInstanceOf(DataException.class)
                .hasMessageContainingAll("no prediction", "[q.nii.gz]");
        assertThatThrownBy(() -> EVALUATOR.evaluateFolders(ref, pred, ".nii.gz", false))
                .hasMessageContainingAll("no reference", "[q.nii.gz]");
        assertThatThrownBy(() -> EVALUATOR.evaluateFolders(pred, ref, ".nii", false))
                .hasMessageContaining("nothing to evaluate");
        assertThatThrownBy(() -> EVALUATOR.evaluateFolders(folder.resolve("x"), ref, ".nii", false))
                .hasMessageContaining("x");
        Grid other = new Grid(1, 2, 3);
        data.labels("ref/p.nii.gz", new short[6], other, Geometry.ofSpacing(1, 1, 1));
        assertThatThrownBy(() -> EVALUATOR.evaluateFolders(pred, ref, ".nii.gz", false))
                .isInstanceOf(DataException.class)
                .hasMessageContainingAll("pred", "[6, 7, 8]", "[1, 2, 3]");
    }

    @Test
    void pseudoDiceAddsUpOverBatches() {
        PseudoDice pseudo = new PseudoDice(4, 3);
        pseudo.add(new byte[] {1, 1, 0, 2}, new byte[] {1, 0, 0, 3});
        pseudo.add(new byte[] {1, 0}, new byte[] {1, 1});
        assertThat(pseudo.counts(1)).isEqualTo(new Confusion(2, 1, 1, 0));
        assertThat(pseudo.perClass()[0]).isCloseTo(2.0 / 3, within(1e-12));
        assertThat(pseudo.perClass()[1]).isNaN();
        assertThat(pseudo.mean()).isCloseTo(2.0 / 3, within(1e-12));
    }
}
