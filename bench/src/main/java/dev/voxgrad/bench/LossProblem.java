package dev.voxgrad.bench;

import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.tensor.Shape;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A loss on random logits.
 *
 * @param logits of the full resolution [N,D,H,W,C]
 * @param target what the labels are
 * @param blobs components in each sample of {@link Target#BLOBS}
 * @param outputs resolutions of deep supervision, 1 = without; each has half the size of the one before
 * @param ignore label of every tenth voxel, which does not count
 * @param loss text that voxgrad parses
 * @param eager the terms of a peer's composition, joined by +, see there; their arguments are read from the loss text
 */
public record LossProblem(
        String name, Shape logits, Target target, int blobs, int outputs, OptionalInt ignore, String loss, String eager)
        implements Problem {
    /** Kinds of labels. */
    public enum Target {
        /** A random class in each voxel. */
        CLASSES,
        /** A random 0 or 1 for each voxel and channel. */
        REGIONS,
        /** As regions, but cubes on a lattice: components whose number is known. */
        BLOBS
    }

    private static final Pattern TARGET = Pattern.compile("classes|regions|blobs (\\d+)");

    static LossProblem of(Rows.Row row) {
        Matcher target = TARGET.matcher(row.text("labels"));
        if (!target.matches()) {
            throw new ConfigException(
                    row.place() + ": labels \"" + row.text("labels") + "\"; use classes, regions or blobs NUMBER");
        }
        boolean blobs = target.group(1) != null;
        return new LossProblem(
                row.text("name"),
                row.shape("classes"),
                blobs ? Target.BLOBS : row.text("labels").equals("classes") ? Target.CLASSES : Target.REGIONS,
                blobs ? Integer.parseInt(target.group(1)) : 0,
                row.integer("outputs"),
                row.text("ignore").isEmpty() ? OptionalInt.empty() : OptionalInt.of(row.integer("ignore")),
                row.text("loss"),
                row.text("eager"));
    }

    /** Sizes of the logits of one resolution, 0 = full. */
    public Shape logits(int output) {
        return logits.withGrid(
                Math.max(1, logits.d() >> output),
                Math.max(1, logits.h() >> output),
                Math.max(1, logits.w() >> output));
    }

    /** Logits of one resolution. */
    public float[] z(int output) {
        return Data.normal(10L + output, logits(output).elements());
    }

    /** Labels of the full resolution: [N,D,H,W,1] classes, else [N,D,H,W,C] of 0 and 1. */
    public byte[] labels() {
        switch (target) {
            case CLASSES -> {
                byte[] labels = Data.integers(6, logits.n() * logits.voxels(), (int) logits.c());
                ignore.ifPresent(label -> {
                    for (int i = 0; i < labels.length; i += 10) {
                        labels[i] = (byte) label;
                    }
                });
                return labels;
            }
            case REGIONS -> {
                return Data.integers(6, logits.elements(), 2);
            }
            case BLOBS -> {
                int[] components = components();
                byte[] labels = new byte[components.length];
                for (int i = 0; i < labels.length; i++) {
                    labels[i] = (byte) (components[i] > 0 ? 1 : 0);
                }
                return labels;
            }
        }
        throw new AssertionError(target);
    }

    /** Labels of one resolution, resized by nearest-exact as deep supervision does it. */
    public byte[] labels(int output) {
        byte[] full = labels();
        Shape from = labelShape();
        Shape to = logits(output).withChannels(from.c());
        byte[] labels = new byte[Math.toIntExact(to.elements())];
        int i = 0;
        for (long n = 0; n < to.n(); n++) {
            for (long d = 0; d < to.d(); d++) {
                for (long h = 0; h < to.h(); h++) {
                    for (long w = 0; w < to.w(); w++) {
                        long voxel =
                                ((n * from.d() + source(d, from.d(), to.d())) * from.h() + source(h, from.h(), to.h()))
                                                * from.w()
                                        + source(w, from.w(), to.w());
                        for (long c = 0; c < from.c(); c++) {
                            labels[i++] = full[(int) (voxel * from.c() + c)];
                        }
                    }
                }
            }
        }
        return labels;
    }

    private static long source(long index, long from, long to) {
        return (2 * index + 1) * from / (2 * to);
    }

    /** Sizes of {@link #labels()}. */
    public Shape labelShape() {
        return target == Target.CLASSES ? logits.withChannels(1) : logits;
    }

    /** The component of each voxel [N,D,H,W,1], 1 to {@link #blobs()} in each sample, 0 = background: cubes that do not touch. */
    public int[] components() {
        int d = (int) logits.d();
        int h = (int) logits.h();
        int w = (int) logits.w();
        int cells = (int) Math.ceil(Math.pow(blobs, d == 1 ? 0.5 : 1 / 3.0) - 1e-9);
        int cell = Math.min(h, w) / cells;
        int edge = cell / 2;
        if (logits.c() != 1 || edge < 1 || (d > 1 && d / cells < cell)) {
            throw new ConfigException(name + ": " + blobs + " blobs do not fit into one channel of " + logits);
        }
        int voxels = d * h * w;
        int[] components = new int[(int) logits.n() * voxels];
        for (int blob = 0; blob < blobs; blob++) {
            int z0 = blob / (cells * cells) * cell;
            int y0 = blob / cells % cells * cell;
            int x0 = blob % cells * cell;
            for (int z = z0; z < (d == 1 ? 1 : z0 + edge); z++) {
                for (int y = y0; y < y0 + edge; y++) {
                    int line = (z * h + y) * w;
                    Arrays.fill(components, line + x0, line + x0 + edge, blob + 1);
                }
            }
        }
        for (int n = 1; n < logits.n(); n++) {
            System.arraycopy(components, 0, components, n * voxels, voxels);
        }
        return components;
    }

    /** The share of voxels in {@code topk(0.1)}; 0.1 when it is not there. */
    public double share() {
        Matcher matcher =
                Pattern.compile("\\btopk\\(\\s*(?:\\w+\\s*=\\s*)?([.\\d]+)").matcher(loss);
        return matcher.find() ? Double.parseDouble(matcher.group(1)) : 0.1;
    }

    /** A number of the loss text, for example of {@code smoothing=0.1}. */
    public double number(String argument, double standard) {
        Matcher matcher =
                Pattern.compile("\\b" + argument + "\\s*=\\s*([-+.\\deE]+)").matcher(loss);
        return matcher.find() ? Double.parseDouble(matcher.group(1)) : standard;
    }

    /** A list of the loss text, for example of {@code weights=[1, 2]}; empty when it is not there. */
    public double[] numbers(String argument) {
        Matcher matcher =
                Pattern.compile("\\b" + argument + "\\s*=\\s*\\[([^\\]]*)\\]").matcher(loss);
        return matcher.find()
                ? Arrays.stream(matcher.group(1).split(","))
                        .mapToDouble(Double::parseDouble)
                        .toArray()
                : new double[0];
    }

    @Override
    public List<Direction> directions() {
        return List.of(Direction.VALUE_AND_GRADIENT);
    }

    /** The floor of any exact implementation in two passes: logits read twice, the gradient written once. */
    @Override
    public double bytes(Direction direction) {
        double elements = 0;
        for (int r = 0; r < Math.max(1, outputs - 1); r++) { // the last of several outputs has weight 0
            elements += logits(r).elements();
        }
        return 3 * Float.BYTES * elements;
    }

    /** Float32 exponentials against the peer's, and its float32 sums. */
    @Override
    public double tolerance() {
        return 1e-3;
    }
}
