package dev.voxgrad.losses;

import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.op.SegLoss.Kind;
import dev.voxgrad.engine.op.SegLoss.Nonlinearity;
import dev.voxgrad.engine.op.SegLoss.Sums;
import java.util.List;

/**
 * One minus the soft Dice as MONAI's {@code DiceLoss}. With I, P, G the sums of p y, p (or p squared) and y of one class:
 *
 * <pre>
 * f = w (1 - (2 I + a) / (P + G + b))              Dice, per sample and class, or per class with batch
 * f = w (1 - (2 I + a) / (2 (P + G - I) + b))      Jaccard
 * L = mean of f (by their number, not by the sum of w), or their sum
 * </pre>
 *
 * <p>A class that does not occur has f = w (1 - a / (P + b)), close to w, and next to no gradient. When no voxel counts, f is
 * w (1 - a/b), 0 by default. There is no floor under the denominator.
 *
 * @param background true: class 0 is one of the classes in use
 * @param batch true: sums run over the batch
 * @param squared true: P is the sum of p squared
 * @param jaccard true: the union instead of the mean volume
 * @param numeratorSmooth a, at least 0
 * @param denominatorSmooth b, above 0
 * @param weights w, one per class, also for a background that is not in use
 * @param reduction mean or sum over samples and classes
 * @param nonlinearity softmax for classes, sigmoid for regions
 */
public record MonaiDice(
        boolean background,
        boolean batch,
        boolean squared,
        boolean jaccard,
        double numeratorSmooth,
        double denominatorSmooth,
        ClassWeights weights,
        CrossEntropy.Reduction reduction,
        Nonlinearity nonlinearity)
        implements RegionTerm {
    /** MONAI's defaults, with softmax. */
    public static final MonaiDice DEFAULT = new MonaiDice(
            true,
            false,
            false,
            false,
            1e-5,
            1e-5,
            ClassWeights.NONE,
            CrossEntropy.Reduction.MEAN,
            Nonlinearity.SOFTMAX);

    /** Checks the ranges. */
    public MonaiDice {
        if (!(numeratorSmooth >= 0 && numeratorSmooth < Double.POSITIVE_INFINITY)) {
            throw new ConfigException("monai_dice: smooth_nr " + numeratorSmooth + " must be a number of at least 0");
        }
        if (!(denominatorSmooth > 0 && denominatorSmooth < Double.POSITIVE_INFINITY)) {
            throw new ConfigException("monai_dice: smooth_dr " + denominatorSmooth
                    + " must be a number above 0, or nothing is divided by nothing where no voxel counts");
        }
        weights.requireLabels("monai_dice", nonlinearity);
    }

    static MonaiDice parse(Arguments arguments) {
        return new MonaiDice(
                arguments.flag("background", DEFAULT.background),
                arguments.flag("batch", DEFAULT.batch),
                arguments.flag("squared", DEFAULT.squared),
                arguments.flag("jaccard", DEFAULT.jaccard),
                arguments.number("smooth_nr", DEFAULT.numeratorSmooth),
                arguments.number("smooth_dr", DEFAULT.denominatorSmooth),
                arguments.weights("weights"),
                arguments.choice("reduction", DEFAULT.reduction),
                arguments.nonlinearity());
    }

    @Override
    public void requireClasses(int classes) {
        if (!background && classes < 2) {
            throw new ConfigException("monai_dice: there is no class besides the background; set background=true");
        }
        weights.requireClasses("monai_dice", classes);
    }

    @Override
    public RegionTerm ofChannel(int channel) {
        return new MonaiDice(
                background,
                batch,
                squared,
                jaccard,
                numeratorSmooth,
                denominatorSmooth,
                weights.ofChannel(channel),
                reduction,
                nonlinearity);
    }

    @Override
    public double evaluate(Sums sums, double weight, Sums partials) {
        List<Row> rows = Row.of(sums, batch);
        int first = background ? 0 : 1;
        Kind predicted = squared ? Kind.SQUARE : Kind.PROBABILITY;
        int entries = rows.size() * (sums.classes() - first);
        double value = 0;
        for (Row row : rows) {
            for (int c = first; c < sums.classes(); c++) {
                double share = weight * weights.of(c) / (reduction == CrossEntropy.Reduction.MEAN ? entries : 1);
                double overlap = row.get(sums, c, Kind.INTERSECTION);
                double volumes = row.get(sums, c, predicted) + row.get(sums, c, Kind.COUNT);
                double numerator = 2 * overlap + numeratorSmooth;
                double denominator = (jaccard ? 2 * (volumes - overlap) : volumes) + denominatorSmooth;
                double slope = (jaccard ? 2 : 1) * numerator / (denominator * denominator);
                value += share * (1 - numerator / denominator);
                row.add(partials, c, Kind.INTERSECTION, -share * (2 / denominator + (jaccard ? slope : 0)));
                row.add(partials, c, predicted, share * slope);
            }
        }
        return value;
    }

    @Override
    public String toString() {
        return new TermText("monai_dice")
                .argument("background", background, DEFAULT.background)
                .argument("batch", batch, DEFAULT.batch)
                .argument("squared", squared, DEFAULT.squared)
                .argument("jaccard", jaccard, DEFAULT.jaccard)
                .argument("smooth_nr", numeratorSmooth, DEFAULT.numeratorSmooth)
                .argument("smooth_dr", denominatorSmooth, DEFAULT.denominatorSmooth)
                .argument("weights", weights)
                .argument("reduction", reduction, DEFAULT.reduction)
                .argument("sigmoid", nonlinearity == Nonlinearity.SIGMOID, false)
                .toString();
    }
}
