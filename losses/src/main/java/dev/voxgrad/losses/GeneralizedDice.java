package dev.voxgrad.losses;

import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.op.SegLoss.Kind;
import dev.voxgrad.engine.op.SegLoss.Nonlinearity;
import dev.voxgrad.engine.op.SegLoss.Sums;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Generalized Dice (Sudre et al. 2017): one ratio for all classes, which weigh by their inverse volume. With I, P, G the sums of p y, p
 * and y of one class, a row being one sample, or the batch:
 *
 * <pre>
 * w = 1/G^2, 1/G or 1
 * D = (2 sum_c w I + a) / (sum_c w (P + G) + b)
 * L = mean over the rows of 1 - D
 * </pre>
 *
 * <p>As in MONAI's {@code GeneralizedDiceLoss} a class that is not in the row, whose weight would be infinite, gets the largest finite
 * weight of the row. When no class in use occurs, all weights of 1/G and 1/G^2 are 0 and L is 1 - a/b, 0 by default; with equal weights
 * L is then 1 - a / (sum_c P + b). Weights are constants for the gradient. Mind that with 1/G^2 the sum is tiny for large volumes, so that a and b pull L towards 0.
 *
 * <p>The variant of nnU-Net v1 is w = 1/(G + 1e-6) or its square, and L = -D.
 *
 * @param weighting of the classes
 * @param background true: class 0 is one of the classes in use
 * @param batch true: one ratio for the batch
 * @param numeratorSmooth a, at least 0
 * @param denominatorSmooth b, above 0
 * @param nnunetV1 true: the variant of nnU-Net v1
 * @param nonlinearity softmax for classes, sigmoid for regions
 */
public record GeneralizedDice(
        Weighting weighting,
        boolean background,
        boolean batch,
        double numeratorSmooth,
        double denominatorSmooth,
        boolean nnunetV1,
        Nonlinearity nonlinearity)
        implements RegionTerm {
    /** How classes weigh. */
    public enum Weighting {
        /** By 1 / volume squared. */
        SQUARE,
        /** By 1 / volume. */
        SIMPLE,
        /** All the same. */
        UNIFORM
    }

    /** MONAI's defaults. */
    public static final GeneralizedDice DEFAULT =
            new GeneralizedDice(Weighting.SQUARE, true, false, 1e-5, 1e-5, false, Nonlinearity.SOFTMAX);

    /** Of nnU-Net v1: added to the volume. */
    private static final double VOLUME_FLOOR = 1e-6;

    /** Checks the ranges. */
    public GeneralizedDice {
        if (!(numeratorSmooth >= 0 && numeratorSmooth < Double.POSITIVE_INFINITY)) {
            throw new ConfigException("gdl: smooth_nr " + numeratorSmooth + " must be a number of at least 0");
        }
        if (!(denominatorSmooth > 0 && denominatorSmooth < Double.POSITIVE_INFINITY)) {
            throw new ConfigException("gdl: smooth_dr " + denominatorSmooth
                    + " must be a number above 0, or nothing is divided by nothing where no voxel counts");
        }
    }

    static GeneralizedDice parse(Arguments arguments) {
        boolean nnunetV1 = arguments.flag("nnunet_v1", DEFAULT.nnunetV1);
        return new GeneralizedDice(
                arguments.choice("weighting", standard(nnunetV1)),
                arguments.flag("background", DEFAULT.background),
                arguments.flag("batch", DEFAULT.batch),
                arguments.number("smooth_nr", DEFAULT.numeratorSmooth),
                arguments.number("smooth_dr", DEFAULT.denominatorSmooth),
                nnunetV1,
                arguments.nonlinearity());
    }

    /** nnU-Net v1 does not square. */
    private static Weighting standard(boolean nnunetV1) {
        return nnunetV1 ? Weighting.SIMPLE : DEFAULT.weighting;
    }

    @Override
    public void requireClasses(int classes) {
        if (!background && classes < 2) {
            throw new ConfigException("gdl: there is no class besides the background; set background=true");
        }
    }

    @Override
    public double evaluate(Sums sums, double weight, Sums partials) {
        List<Row> rows = Row.of(sums, batch);
        double share = weight / rows.size();
        double value = 0;
        for (Row row : rows) {
            double[] weights = weights(row, sums);
            double numerator = numeratorSmooth;
            double denominator = denominatorSmooth;
            for (int c = firstClass(); c < sums.classes(); c++) {
                numerator += 2 * weights[c] * row.get(sums, c, Kind.INTERSECTION);
                denominator += weights[c] * (row.get(sums, c, Kind.PROBABILITY) + row.get(sums, c, Kind.COUNT));
            }
            value += share * ((nnunetV1 ? 0 : 1) - numerator / denominator);
            for (int c = firstClass(); c < sums.classes(); c++) {
                row.add(partials, c, Kind.INTERSECTION, -share * 2 * weights[c] / denominator);
                row.add(partials, c, Kind.PROBABILITY, share * numerator * weights[c] / (denominator * denominator));
            }
        }
        return value;
    }

    private int firstClass() {
        return background ? 0 : 1;
    }

    private double[] weights(Row row, Sums sums) {
        double[] weights = new double[sums.classes()];
        double largest = 0;
        for (int c = firstClass(); c < weights.length; c++) {
            double volume = row.get(sums, c, Kind.COUNT) + (nnunetV1 ? VOLUME_FLOOR : 0);
            weights[c] = switch (weighting) {
                case SQUARE -> 1 / (volume * volume);
                case SIMPLE -> 1 / volume;
                case UNIFORM -> 1;
            };
            largest = Double.isInfinite(weights[c]) ? largest : Math.max(largest, weights[c]);
        }
        double finite = largest;
        return IntStream.range(0, weights.length)
                .mapToDouble(c -> Double.isInfinite(weights[c]) ? finite : weights[c])
                .toArray();
    }

    @Override
    public String toString() {
        return new TermText("gdl")
                .argument("weighting", weighting, standard(nnunetV1))
                .argument("background", background, DEFAULT.background)
                .argument("batch", batch, DEFAULT.batch)
                .argument("smooth_nr", numeratorSmooth, DEFAULT.numeratorSmooth)
                .argument("smooth_dr", denominatorSmooth, DEFAULT.denominatorSmooth)
                .argument("nnunet_v1", nnunetV1, DEFAULT.nnunetV1)
                .argument("sigmoid", nonlinearity == Nonlinearity.SIGMOID, false)
                .toString();
    }
}
