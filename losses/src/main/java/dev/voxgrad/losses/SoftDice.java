package dev.voxgrad.losses;

import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.op.SegLoss.Kind;
import dev.voxgrad.engine.op.SegLoss.Nonlinearity;
import dev.voxgrad.engine.op.SegLoss.Sums;
import java.util.List;

/**
 * Minus the mean soft Dice as nnU-Net v2 trains with it. With I, P, G the sums of p y, p, y of one class and s = {@code smooth}:
 *
 * <pre>
 * D = (2 I + s) / max(P + G + s, 1e-8)      per sample and class, or per class with batchDice
 * L = - mean of D over the classes in use
 * </pre>
 *
 * <p>L lies in [-1, 0]. A class that does not occur has D = s / (P + s) and next to no gradient. When no voxel counts, D is 1.
 *
 * @param batchDice true: sums run over the batch; false: one Dice per sample
 * @param background true: class 0 is one of the classes in use
 * @param smooth s, at least 0
 * @param nonlinearity softmax for classes, sigmoid for regions
 */
public record SoftDice(boolean batchDice, boolean background, double smooth, Nonlinearity nonlinearity)
        implements RegionTerm {
    /** Of nnU-Net: keeps the quotient finite when {@code smooth} is 0 and a class neither occurs nor is predicted. */
    private static final double DENOMINATOR_FLOOR = 1e-8;

    /** Of nnU-Net for classes: per sample, foreground only. */
    public static final SoftDice DEFAULT = new SoftDice(false, false, 1e-5, Nonlinearity.SOFTMAX);

    /** Checks the range. */
    public SoftDice {
        if (!(smooth >= 0 && smooth < Double.POSITIVE_INFINITY)) {
            throw new ConfigException("dice: smooth " + smooth + " must be a number of at least 0");
        }
    }

    static SoftDice parse(Arguments arguments) {
        Nonlinearity nonlinearity = arguments.nonlinearity();
        boolean sigmoid = nonlinearity == Nonlinearity.SIGMOID;
        return new SoftDice(
                arguments.flag("batch", DEFAULT.batchDice),
                arguments.flag("background", sigmoid), // channel 0 of regions is a region like the others
                arguments.number("smooth", DEFAULT.smooth),
                nonlinearity);
    }

    @Override
    public void requireClasses(int classes) {
        if (firstClass() >= classes) {
            throw new ConfigException(
                    "dice: there is no class besides the background; softmax needs one more, for sigmoid set background=true");
        }
    }

    @Override
    public double evaluate(Sums sums, double weight, Sums partials) {
        List<Row> rows = Row.of(sums, batchDice);
        int entries = rows.size() * (sums.classes() - firstClass());
        double share = -weight / entries;
        double total = 0;
        for (Row row : rows) {
            for (int c = firstClass(); c < sums.classes(); c++) {
                double numerator = 2 * row.get(sums, c, Kind.INTERSECTION) + smooth;
                double size = row.get(sums, c, Kind.PROBABILITY) + row.get(sums, c, Kind.COUNT) + smooth;
                double denominator = Math.max(size, DENOMINATOR_FLOOR);
                total += numerator / denominator;
                row.add(partials, c, Kind.INTERSECTION, share * 2 / denominator);
                if (!(size < DENOMINATOR_FLOOR)) { // also for NaN
                    row.add(partials, c, Kind.PROBABILITY, -share * numerator / (denominator * denominator));
                }
            }
        }
        return -weight * total / entries;
    }

    private int firstClass() {
        return background ? 0 : 1;
    }

    @Override
    public String toString() {
        boolean sigmoid = nonlinearity == Nonlinearity.SIGMOID;
        return new TermText("dice")
                .argument("smooth", smooth, DEFAULT.smooth)
                .argument("batch", batchDice, DEFAULT.batchDice)
                .argument("background", background, sigmoid)
                .argument("sigmoid", sigmoid, false)
                .toString();
    }
}
