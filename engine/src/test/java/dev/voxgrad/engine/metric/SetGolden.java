package dev.voxgrad.engine.metric;

import dev.voxgrad.engine.plan.LabelNames;
import dev.voxgrad.golden.Golden;
import dev.voxgrad.golden.GoldenCase;
import dev.voxgrad.golden.GoldenTensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;

/** Handlers of the golden operations on sets of voxels and cases. */
final class SetGolden {
    private SetGolden() {}

    static Map<String, Golden.Handler> handlers() {
        return Map.of("calibration", SetGolden::calibration, "dataset_dice", SetGolden::datasetDice);
    }

    private static void calibration(GoldenCase golden) {
        double[] probability = golden.tensor("in/probability").values();
        int[] reference = golden.tensor("in/reference").ints();
        int bins = golden.params().path("bins").asInt();
        Calibration calibration = new Calibration(bins);
        for (int i = 0; i < probability.length; i++) {
            calibration.add(probability[i], reference[i] != 0);
        }
        Reliability foreground = calibration.foreground();
        golden.check("out/bin_count", perBin(bins, foreground::count));
        golden.check("out/bin_confidence_sum", perBin(bins, foreground::confidenceSum));
        golden.check("out/bin_positive_sum", perBin(bins, foreground::hits));
        golden.check("out/top_bin_count", perBin(bins, calibration.topLabel()::count));
        golden.checkScalar("foreground_ece", foreground.ece());
        golden.checkScalar("foreground_mce", foreground.mce());
        golden.checkScalar("top_label_ece", calibration.topLabel().ece());
        golden.checkScalar("top_label_mce", calibration.topLabel().mce());
        golden.checkScalar("brier", calibration.brier());
        golden.checkScalar("nll", calibration.nll());
    }

    private static double[] perBin(int bins, IntToDoubleFunction value) {
        return IntStream.range(0, bins).mapToDouble(value).toArray();
    }

    private static void datasetDice(GoldenCase golden) {
        int classes = golden.params().path("classes").asInt();
        int ignore = golden.params().path("ignore_label").asInt();
        Map<String, Integer> names = new LinkedHashMap<>();
        IntStream.range(0, classes).forEach(c -> names.put(c == 0 ? "background" : "class " + c, c));
        names.put("ignore", ignore);
        DiceEvaluator evaluator = new DiceEvaluator(new LabelNames(names));
        GoldenTensor reference = golden.tensor("in/reference");
        GoldenTensor prediction = golden.tensor("in/prediction");
        int cases = reference.shape()[0];
        int voxels = reference.values().length / cases;
        List<Summary.CaseScore> scores = new ArrayList<>();
        PseudoDice pseudo = new PseudoDice(classes, ignore);
        double[] dice = new double[cases * (classes - 1)];
        double[] iou = new double[cases * (classes - 1)];
        for (int i = 0; i < cases; i++) {
            short[] r = labels(reference, i * voxels, voxels);
            short[] p = labels(prediction, i * voxels, voxels);
            Map<Integer, Confusion> counts = evaluator.evaluate(p, r);
            for (int c = 1; c < classes; c++) {
                dice[i * (classes - 1) + c - 1] = counts.get(c).dice();
                iou[i * (classes - 1) + c - 1] = counts.get(c).iou();
            }
            scores.add(new Summary.CaseScore("p" + i, "r" + i, counts));
            pseudo.add(bytes(p), bytes(r));
        }
        golden.check("out/dice", dice);
        golden.check("out/iou", iou);
        Summary summary = new Summary(scores);
        for (int c = 1; c < classes; c++) {
            golden.checkScalar("mean_dice." + c, summary.mean(c, "Dice"));
        }
        golden.checkScalar("foreground_mean_dice", summary.foregroundMean("Dice"));
        golden.checkScalar("pseudo_dice_mean", pseudo.mean());
    }

    private static short[] labels(GoldenTensor tensor, int first, int count) {
        short[] labels = new short[count];
        for (int i = 0; i < count; i++) {
            labels[i] = (short) tensor.values()[first + i];
        }
        return labels;
    }

    private static byte[] bytes(short[] labels) {
        byte[] bytes = new byte[labels.length];
        for (int i = 0; i < labels.length; i++) {
            bytes[i] = (byte) labels[i];
        }
        return bytes;
    }
}
