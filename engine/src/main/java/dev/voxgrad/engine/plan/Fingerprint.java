package dev.voxgrad.engine.plan;

import dev.voxgrad.engine.DataException;
import dev.voxgrad.engine.op.Triple;
import java.util.List;
import java.util.function.ToDoubleFunction;

/** What a planner needs to know of a data set. */
public record Fingerprint(List<Entry> cases) {
    /**
     * One training case.
     *
     * @param sizeAfterCrop voxels of the non-zero region
     * @param spacingMm z, y, x
     * @param relativeSize voxels after the crop over voxels before
     */
    public record Entry(Triple sizeAfterCrop, List<Double> spacingMm, double relativeSize) {}

    /** At least one case. */
    public Fingerprint {
        cases = List.copyOf(cases);
        if (cases.isEmpty()) {
            throw new DataException("a plan needs at least one training case");
        }
    }

    /** Percentile of a number over the cases, with linear interpolation between neighbours. */
    double percentile(double q, ToDoubleFunction<Entry> number) {
        double[] sorted = cases.stream().mapToDouble(number).sorted().toArray();
        double h = (sorted.length - 1) * q / 100;
        int i = (int) Math.floor(h);
        double t = h - i;
        double a = sorted[i];
        double b = sorted[Math.min(i + 1, sorted.length - 1)];
        return t < 0.5 ? a + (b - a) * t : b - (b - a) * (1 - t);
    }

    /** Median of a number over the cases. */
    double median(ToDoubleFunction<Entry> number) {
        return percentile(50, number);
    }

    static int edge(Triple size, int axis) {
        return axis == 0 ? size.d() : axis == 1 ? size.h() : size.w();
    }
}
