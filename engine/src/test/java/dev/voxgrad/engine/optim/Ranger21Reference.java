package dev.voxgrad.engine.optim;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Ranger21 in float64, component after component as the method lists them, on tensors in PyTorch's layout: what the kernel is compared
 * with at every step, and what undoes a recorded first step. {@link Ranger21Test} proves it by hand-computed numbers, the golden
 * trajectories prove it against the public code.
 */
final class Ranger21Reference {
    /** A tensor in PyTorch's layout with everything the optimizer remembers about it. */
    private static final class Entry {
        final TorchTensor tensor;
        double[] x;
        final double[] odd;
        final double[] even;
        final double[] s;
        double[] slow;

        Entry(TorchTensor tensor, double[] start) {
            this.tensor = tensor;
            this.x = start.clone();
            this.slow = start.clone();
            this.odd = new double[start.length];
            this.even = new double[start.length];
            this.s = new double[start.length];
        }
    }

    private final Ranger21.Settings settings;
    private final Ranger21.Components c;
    private final boolean convolutionsOnly;
    private final List<Entry> entries = new ArrayList<>();
    private int step;

    Ranger21Reference(Ranger21.Settings settings) {
        this(settings, false);
    }

    /** With centring of weights of more than three axes only, or of all. */
    Ranger21Reference(Ranger21.Settings settings, boolean convolutionsOnly) {
        this.settings = settings;
        this.c = settings.components();
        this.convolutionsOnly = convolutionsOnly;
    }

    Ranger21Reference with(TorchTensor tensor, double... start) {
        entries.add(new Entry(tensor, start));
        return this;
    }

    double[] x(int index) {
        return entries.get(index).x;
    }

    /** One step; gradients in the order of the tensors. */
    void step(List<double[]> gradients, double lr) {
        step++;
        List<double[]> processed = new ArrayList<>();
        double sum = 0;
        double elements = 0;
        for (int i = 0; i < entries.size(); i++) {
            Entry e = entries.get(i);
            double[] g = gradients.get(i).clone();
            clip(e, g);
            centralize(e, g);
            normalize(g);
            for (int k = 0; k < g.length; k++) {
                e.s[k] = settings.beta2() * e.s[k] + (1 - settings.beta2()) * g[k] * g[k];
                sum += e.s[k] / (1 - Math.pow(settings.beta2(), step));
            }
            elements += g.length;
            centralize(e, g);
            normalize(g); // the public code does both again on its way to the momentum
            processed.add(g);
        }
        double spread = Math.sqrt(sum / elements);
        for (int i = 0; i < entries.size(); i++) {
            Entry e = entries.get(i);
            if (c.decayScope() == Ranger21.DecayScope.ALL || i == entries.size() - 1) {
                decay(e, lr, spread);
            }
            move(e, processed.get(i), lr);
            if (c.lookaheadSteps() > 0 && step % c.lookaheadSteps() == 0) {
                for (int k = 0; k < e.x.length; k++) {
                    e.x[k] = c.lookaheadAlpha() * e.x[k] + (1 - c.lookaheadAlpha()) * e.slow[k];
                }
                e.slow = e.x.clone();
            }
        }
    }

    /** For each element the number of the group whose norm it counts in. */
    private static int[] groups(TorchTensor t) {
        int behind = t.axes() > 1 ? t.row() / t.shape()[1] : 1;
        return IntStream.range(0, t.elements())
                .map(i -> switch (t.axes()) {
                    case 1 -> 0;
                    case 2, 3 -> i / t.row() * behind + i % behind;
                    default -> i / t.row();
                })
                .toArray();
    }

    /** The norm of its group at each element. */
    private static double[] norms(TorchTensor t, double[] values) {
        int[] groups = groups(t);
        double[] squares = new double[values.length];
        for (int i = 0; i < values.length; i++) {
            squares[groups[i]] += values[i] * values[i];
        }
        return IntStream.range(0, values.length)
                .mapToDouble(i -> Math.sqrt(squares[groups[i]]))
                .toArray();
    }

    private void clip(Entry e, double[] g) {
        if (c.clip() == 0) {
            return;
        }
        double[] ofX = norms(e.tensor, e.x);
        double[] ofG = norms(e.tensor, g);
        for (int i = 0; i < g.length; i++) {
            double limit = Math.max(ofX[i], c.clipEps()) * c.clip();
            g[i] *= ofG[i] > limit ? limit / Math.max(ofG[i], 1e-6) : 1;
        }
    }

    private void centralize(Entry e, double[] g) {
        if (!e.tensor.centred(c, convolutionsOnly)) {
            return;
        }
        int row = e.tensor.row();
        for (int begin = 0; begin < g.length; begin += row) {
            double mean = Arrays.stream(g, begin, begin + row).average().orElseThrow();
            for (int i = begin; i < begin + row; i++) {
                g[i] -= mean;
            }
        }
    }

    private void normalize(double[] g) {
        if (!c.normalize() || g.length <= 2) {
            return;
        }
        double mean = Arrays.stream(g).average().orElseThrow();
        double squares = Arrays.stream(g).map(v -> (v - mean) * (v - mean)).sum();
        double divisor = Math.sqrt(squares / (g.length - 1)) + 1e-8;
        for (int i = 0; i < g.length; i++) {
            g[i] /= divisor;
        }
    }

    private void decay(Entry e, double lr, double spread) {
        e.x = Arrays.stream(e.x)
                .map(v -> v * (1 - settings.weightDecay() * lr / spread))
                .toArray();
        double[] norms = norms(e.tensor, e.x);
        for (int i = 0; i < e.x.length; i++) {
            e.x[i] *= 1 - lr * 2 * c.normLoss() * (1 - 1 / (norms[i] + settings.eps()));
        }
    }

    private void move(Entry e, double[] g, double lr) {
        double b1 = settings.beta1();
        double b2 = settings.beta2();
        boolean odd = step % 2 == 1 || !c.positiveNegative();
        double[] current = odd ? e.odd : e.even;
        double[] other = odd ? e.even : e.odd;
        double keep = c.positiveNegative() ? b1 * b1 : b1;
        for (int i = 0; i < g.length; i++) {
            current[i] = keep * current[i] + (1 - keep) * g[i];
            double denominator = Math.sqrt(e.s[i]) / Math.sqrt(1 - Math.pow(b2, step)) + settings.eps();
            if (c.softplus() > 0 && c.softplus() * denominator <= 20) {
                denominator = Math.log1p(Math.exp(c.softplus() * denominator)) / c.softplus();
            }
            double way = c.positiveNegative()
                    ? (2 * current[i] - other[i]) / Math.sqrt((1 + b2) * (1 + b2) + b2 * b2)
                    : current[i];
            e.x[i] -= lr / (1 - Math.pow(b1, step)) * way / denominator;
        }
    }
}
