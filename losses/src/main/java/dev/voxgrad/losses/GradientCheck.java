package dev.voxgrad.losses;

import dev.voxgrad.engine.DataException;
import dev.voxgrad.engine.op.Loss;
import dev.voxgrad.engine.op.Progress;
import dev.voxgrad.engine.op.SegLoss.Nonlinearity;
import dev.voxgrad.engine.tensor.Device;
import dev.voxgrad.engine.tensor.Shape;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Compares the gradient of a loss with finite differences of its value, at random logits and labels. The gradient is taken under an
 * upstream factor, so that a loss which forgets the factor fails too. Part of the comparisons, and a check that NaN does not leak, are at
 * labels some of which do not count.
 */
public final class GradientCheck {
    /** Where a wrong factor or sign begins and the rounding of float32 has ended; of the largest entry of the gradient. */
    private static final double RELATIVE = 1e-3;

    /** A difference with a larger error, relative to the largest entry, shows nothing: a kink is near. */
    private static final double UNSETTLED = 0.02;

    /** Steps from coarse to fine; a finer one is tried when a kink is in reach of the coarse one. */
    private static final double[] STEPS = {0x1p-3, 0x1p-5, 0x1p-7, 0x1p-9};

    /** Random points that are tried until none of the comparisons has a kink in reach. */
    private static final int DRAWS = 4;

    /** Where a schedule is looked at, in a training of this many epochs. */
    private static final int EPOCHS = 100;

    private static final int[] POINTS = {0, 25, 50, 75, 99};

    /** Voxels of class 0 for class weights by rule. */
    private static final long RARITY = 1_000_000;

    private static final int MOST_ENTRIES = 600;
    private static final int DIRECTIONS = 8;

    /** One voxel of so many does not count. */
    private static final int COUNTED = 6;

    /** Logits are multiples of this, so that adding a step to them is exact in float32. */
    private static final double GRID = 1.0 / 1024;

    /**
     * One comparison.
     *
     * @param where {@code logits[n][d][h][w][c]}, or the number of a random direction
     * @param analytic derivative that the loss gives
     * @param numeric derivative by differences
     * @param tolerance of the difference of the two
     * @param settled false when the differences do not converge
     */
    public record Entry(String where, double analytic, double numeric, double tolerance, boolean settled) {
        /** Distance of the two. */
        public double difference() {
            return Math.abs(analytic - numeric);
        }

        /** True when they agree. */
        public boolean passes() {
            return settled && difference() <= tolerance;
        }

        private double badness() {
            double ratio = difference() / tolerance;
            return Double.isNaN(ratio) || !settled ? Double.POSITIVE_INFINITY : ratio;
        }
    }

    /**
     * What came out for one loss.
     *
     * @param loss its text
     * @param value at the random logits
     * @param entries logits that were moved
     * @param directions random directions in which all logits were moved
     * @param worst the comparison that is farthest beyond, or nearest to, its tolerance
     * @param settled false when differences did not converge at any of the points that were tried
     * @param problem why it fails apart from the comparisons, empty if it does not
     */
    public record Report(
            String loss,
            double value,
            int entries,
            int directions,
            Optional<Entry> worst,
            boolean settled,
            String problem) {
        private static Report failed(SegmentationLoss loss, double value, String problem) {
            return new Report(loss.toString(), value, 0, 0, Optional.empty(), true, problem);
        }

        /** True when everything agrees. */
        public boolean passes() {
            return problem.isEmpty() && worst.map(Entry::passes).orElse(false);
        }
    }

    private final Shape shape;
    private final float[] logits;
    private final CheckBatch batch;
    private final SegmentationLoss loss;
    private final Random random;

    private GradientCheck(Device device, SegmentationLoss loss, Shape shape, Random random) {
        this.loss = loss;
        this.shape = shape;
        this.random = random;
        this.logits = new float[Math.toIntExact(shape.elements())];
        for (int i = 0; i < logits.length; i++) {
            logits[i] = (float) (Math.rint(random.nextGaussian() / GRID) * GRID);
        }
        boolean sigmoid = loss.sum().nonlinearity() == Nonlinearity.SIGMOID;
        byte[] labels = sigmoid ? sparse(logits.length) : classes();
        this.batch = new CheckBatch(device, loss, shape, labels, Optional.empty());
    }

    /** 0/1 targets with components that do not all touch. */
    private byte[] sparse(int length) {
        byte[] values = new byte[length];
        for (int i = 0; i < length; i++) {
            values[i] = (byte) (random.nextInt(5) == 0 ? 1 : 0);
        }
        return values;
    }

    /** Class labels; every class occurs if there are voxels enough. */
    private byte[] classes() {
        List<Byte> labels = IntStream.range(0, logits.length / (int) shape.c())
                .mapToObj(i -> (byte) (i < shape.c() ? i : random.nextInt((int) shape.c())))
                .collect(Collectors.toCollection(ArrayList::new));
        Collections.shuffle(labels, random);
        byte[] values = new byte[labels.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = labels.get(i);
        }
        return values;
    }

    /**
     * Checks loss text: as one loss, or at five points of a training when it has a schedule. Class weights by rule follow from classes
     * of which each is rarer than the one before.
     *
     * @param shape of the logits [N,D,H,W,C]
     * @param seed of logits, labels and directions
     * @return one report per different loss, in their order in time
     * @throws dev.voxgrad.engine.ConfigException when the text is wrong
     */
    public static List<Report> check(Device device, String text, Shape shape, long seed) {
        int classes = Math.toIntExact(shape.c());
        List<Long> counts =
                IntStream.range(0, classes).mapToObj(c -> RARITY / (c + 1)).toList();
        List<Long> all = Collections.nCopies(
                classes, counts.stream().mapToLong(Long::longValue).sum());
        Loss loss = Losses.parse(text, LossContext.of(classes).withCounts(new LabelCounts(counts, all)));
        Set<Loss> different = new LinkedHashSet<>();
        for (int epoch : POINTS) {
            different.add(loss.at(Progress.ofEpoch(epoch, EPOCHS)));
        }
        return different.stream()
                .map(l -> check(device, (SegmentationLoss) l, shape, seed))
                .toList();
    }

    static Report check(Device device, SegmentationLoss loss, Shape shape, long seed) {
        Random random = new Random(seed);
        Report report = new GradientCheck(device, loss, shape, random).report();
        for (int draw = 1; draw < DRAWS && !report.settled; draw++) {
            report = new GradientCheck(device, loss, shape, random).report();
        }
        return report;
    }

    private Report report() {
        double value = batch.value(logits);
        if (!Double.isFinite(value)) {
            return Report.failed(loss, value, "the value is not finite");
        }
        if (Double.compare(value, batch.value(logits)) != 0) {
            return Report.failed(loss, value, "a second evaluation gives another value");
        }
        float[] gradient = batch.gradient(logits);
        if (!isFinite(gradient)) {
            return Report.failed(loss, value, "the gradient is not finite");
        }
        List<Entry> entries = new ArrayList<>();
        for (int i : entriesToCheck()) {
            float[] unit = new float[logits.length];
            unit[i] = 1;
            entries.add(entry(batch, place(i), unit, gradient[i], scale(gradient, value)));
        }
        int singles = entries.size();
        entries.addAll(directions(batch, gradient, value, ""));
        if (shape.n() * shape.voxels() > 1 && entries.stream().allMatch(Entry::passes)) {
            byte[] counts = counts();
            CheckBatch some = batch.counting(counts);
            String problem = leak(some, counts);
            if (!problem.isEmpty()) {
                return Report.failed(loss, value, problem);
            }
            entries.addAll(
                    directions(some, some.gradient(logits), some.value(logits), " with voxels that do not count"));
        }
        Entry worst =
                entries.stream().max(Comparator.comparingDouble(Entry::badness)).orElseThrow();
        boolean settled = entries.stream().allMatch(Entry::settled);
        return new Report(loss.toString(), value, singles, entries.size() - singles, Optional.of(worst), settled, "");
    }

    private static boolean isFinite(float... values) {
        for (float value : values) {
            if (!Float.isFinite(value)) {
                return false;
            }
        }
        return true;
    }

    /** A gradient of 0 everywhere may be right; then differences must vanish on the scale of the value per logit. */
    private static double scale(float[] gradient, double value) {
        double largest = 0;
        for (float g : gradient) {
            largest = Math.max(largest, Math.abs(g));
        }
        return largest > 0 ? largest : Math.max(1, Math.abs(value)) / gradient.length;
    }

    /** 0 at some voxels but not at all. */
    private byte[] counts() {
        byte[] counts = new byte[logits.length / (int) shape.c()];
        for (int voxel = 0; voxel < counts.length; voxel++) {
            counts[voxel] = (byte) (random.nextInt(COUNTED) == 0 ? 0 : 1);
        }
        int without = random.nextInt(counts.length);
        counts[without] = 0;
        counts[(without + 1) % counts.length] = 1;
        return counts;
    }

    /** What is wrong where voxels do not count, empty if nothing is: their logits must change nothing, whatever they are. */
    private String leak(CheckBatch some, byte... counts) {
        int channels = (int) shape.c();
        float[] unknown = logits.clone();
        float[] others = logits.clone();
        for (int i = 0; i < logits.length; i++) {
            if (counts[i / channels] == 0) {
                unknown[i] = Float.NaN;
                others[i] = 2 - 3 * logits[i];
            }
        }
        for (Sum.Part part : loss.sum().tensors()) {
            TensorTerm term = (TensorTerm) part.term();
            try {
                if (Float.compare(some.value(term, logits), some.value(term, others)) != 0) {
                    return "the value of " + term + " depends on voxels that the mask leaves out";
                }
            } catch (DataException | IndexOutOfBoundsException e) {
                return term + " reads labels that the mask leaves out: " + e.getMessage();
            }
        }
        if (Double.compare(some.value(unknown), some.value(logits)) != 0) {
            return "NaN in voxels that do not count changes the value";
        }
        float[] gradient = some.gradient(unknown);
        for (int i = 0; i < gradient.length; i++) {
            if (counts[i / channels] == 0 ? gradient[i] != 0 : !Float.isFinite(gradient[i])) {
                return "with NaN in voxels that do not count the gradient is " + gradient[i] + " at " + place(i);
            }
        }
        return "";
    }

    private List<Entry> directions(CheckBatch at, float[] gradient, double value, String where) {
        double square = 0;
        for (float g : gradient) {
            square += (double) g * g;
        }
        double scale = Math.max(scale(gradient, value), Math.sqrt(square));
        List<Entry> entries = new ArrayList<>();
        for (int k = 0; k < DIRECTIONS; k++) {
            float[] direction = new float[logits.length];
            double analytic = 0;
            for (int i = 0; i < direction.length; i++) {
                direction[i] = random.nextBoolean() ? 1 : -1;
                analytic += (double) direction[i] * gradient[i];
            }
            entries.add(entry(at, "direction " + (k + 1) + where, direction, analytic, scale));
        }
        return entries;
    }

    private List<Integer> entriesToCheck() {
        List<Integer> all = IntStream.range(0, logits.length).boxed().collect(Collectors.toCollection(ArrayList::new));
        if (all.size() > MOST_ENTRIES) {
            Collections.shuffle(all, random);
            all = all.subList(0, MOST_ENTRIES);
            Collections.sort(all);
        }
        return all;
    }

    private String place(int index) {
        StringBuilder place = new StringBuilder();
        long rest = index;
        for (long size : new long[] {shape.c(), shape.w(), shape.h(), shape.d(), shape.n()}) {
            place.insert(0, "[" + rest % size + "]");
            rest /= size;
        }
        return "logits" + place;
    }

    private Entry entry(CheckBatch at, String where, float[] direction, double analytic, double scale) {
        Difference best = new Difference(Double.NaN, Double.POSITIVE_INFINITY);
        // Voxels are rounded to float32 one by one; autograd ops round their sum, too.
        double voxels = loss.sum().tensors().isEmpty() ? (double) shape.n() * shape.voxels() : 1;
        double noise = Math.ulp((float) Math.max(1, Math.abs(at.value(logits)))) / Math.sqrt(voxels);
        for (double step : STEPS) {
            Difference found = Difference.at(h -> at.value(moved(direction, h)), step, noise);
            if (found.error() < best.error()) {
                best = found;
            }
            if (best.error() <= UNSETTLED * scale) {
                break;
            }
        }
        return new Entry(
                where, analytic, best.value(), RELATIVE * scale + best.error(), best.error() <= UNSETTLED * scale);
    }

    private float[] moved(float[] direction, double h) {
        float[] other = new float[logits.length];
        for (int i = 0; i < other.length; i++) {
            other[i] = logits[i] + (float) h * direction[i];
        }
        return other;
    }
}
