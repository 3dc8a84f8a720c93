package dev.voxgrad.cli.report;

import dev.voxgrad.engine.image.LabelVolume;
import dev.voxgrad.engine.image.Volume;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Everything that a report shows.
 *
 * @param title of the page
 * @param summary one or two sentences below it
 * @param warning shown before anything else, for example that the data are drawn
 * @param facts names and values in order: data, machine, versions, seed
 * @param classes names of the foreground classes; class i has the label i + 1
 * @param epochs the training, empty when it is not known
 * @param cases scores, and volumes where they are to be shown
 */
public record ReportData(
        String title,
        String summary,
        Optional<String> warning,
        Map<String, String> facts,
        List<String> classes,
        List<Epoch> epochs,
        List<CaseResult> cases) {
    /** Copies the collections. */
    public ReportData {
        facts = Collections.unmodifiableMap(new LinkedHashMap<>(facts));
        classes = List.copyOf(classes);
        epochs = List.copyOf(epochs);
        cases = List.copyOf(cases);
    }

    /**
     * One epoch; a value that does not exist is NaN.
     *
     * @param number from 1
     * @param dice of each class on the validation batches, empty without validation
     */
    public record Epoch(int number, double trainingLoss, double validationLoss, List<Double> dice) {
        /** Copies the list. */
        public Epoch {
            dice = List.copyOf(dice);
        }
    }

    /**
     * One evaluated case.
     *
     * @param dice of each class, NaN where neither truth nor prediction has it
     * @param view the volumes, if they are to be shown
     */
    public record CaseResult(String name, List<Double> dice, Optional<View> view) {
        /** Copies the list. */
        public CaseResult {
            dice = List.copyOf(dice);
        }
    }

    /** Image, reference and prediction on one grid. */
    public record View(Volume image, LabelVolume truth, LabelVolume prediction) {}

    /** Mean of the finite numbers, NaN if there are none. */
    static double mean(List<Double> values) {
        return values.stream()
                .filter(Double::isFinite)
                .mapToDouble(Double::doubleValue)
                .average()
                .orElse(Double.NaN);
    }
}
