package dev.voxgrad.losses;

import dev.voxgrad.engine.op.SegLoss.Kind;
import dev.voxgrad.engine.op.SegLoss.Sums;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Samples whose sums are added before a formula sees them: one sample, or the whole batch.
 *
 * @param from first sample
 * @param to one past the last sample
 */
record Row(int from, int to) {
    /** One row for the batch, or one per sample. */
    static List<Row> of(Sums sums, boolean batch) {
        return batch
                ? List.of(new Row(0, sums.samples()))
                : IntStream.range(0, sums.samples())
                        .mapToObj(i -> new Row(i, i + 1))
                        .toList();
    }

    /** The sum of one class. */
    double get(Sums sums, int clazz, Kind kind) {
        double total = 0;
        for (int sample = from; sample < to; sample++) {
            total += sums.get(sample, clazz, kind);
        }
        return total;
    }

    /** Adds a derivative by the sum of {@link #get}: it is the same for every sample in it. */
    void add(Sums partials, int clazz, Kind kind, double derivative) {
        for (int sample = from; sample < to; sample++) {
            partials.add(sample, clazz, kind, derivative);
        }
    }
}
