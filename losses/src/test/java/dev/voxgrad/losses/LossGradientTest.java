package dev.voxgrad.losses;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.voxgrad.engine.op.SegLoss.Kind;
import dev.voxgrad.engine.op.SegLoss.Nonlinearity;
import dev.voxgrad.engine.op.SegLoss.Sums;
import dev.voxgrad.engine.tensor.Device;
import dev.voxgrad.engine.tensor.Shape;
import dev.voxgrad.golden.Devices;
import dev.voxgrad.golden.EachDevice;
import java.util.EnumSet;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Derivatives against finite differences, for every term at random parameters. */
class LossGradientTest {
    private static final long SEED = 20260301;
    private static final int ROUNDS = 4;
    private static final Set<Kind> CONSTANT = EnumSet.of(Kind.COUNT, Kind.VOXELS);

    /** In float64, so the limit is that of central differences. */
    @ParameterizedTest
    @EnumSource
    void partialsMatchDifferencesOfTheFormula(Nonlinearity nonlinearity) {
        Random random = new Random(SEED);
        for (int round = 0; round < ROUNDS; round++) {
            for (Term term : RandomLosses.terms(random, 4, nonlinearity)) {
                if (term instanceof RegionTerm formula) {
                    assertPartials(formula, positive(random, new Sums(2, 1, 4)), 0.5 + random.nextDouble());
                }
            }
        }
    }

    static void assertPartials(RegionTerm term, Sums sums, double weight) {
        Sums partials = new Sums(sums.samples(), sums.segments(), sums.classes());
        term.evaluate(sums, weight, partials);
        double h = 1e-3; // the error of the formula is h^4 / 30 times a fifth derivative
        for (int i = 0; i < sums.samples() * sums.segments() * sums.classes(); i++) {
            int sample = i / sums.classes() / sums.segments();
            int segment = i / sums.classes() % sums.segments();
            int clazz = i % sums.classes();
            for (Kind kind : EnumSet.complementOf(EnumSet.copyOf(CONSTANT))) {
                double rise = shifted(term, sums, weight, sample, segment, clazz, kind, h)
                        - shifted(term, sums, weight, sample, segment, clazz, kind, -h);
                double wide = shifted(term, sums, weight, sample, segment, clazz, kind, 2 * h)
                        - shifted(term, sums, weight, sample, segment, clazz, kind, -2 * h);
                assertThat(partials.get(sample, segment, clazz, kind))
                        .as("seed %d: %s, %s of [%d][%d][%d]", SEED, term, kind, sample, segment, clazz)
                        .isCloseTo((8 * rise - wide) / (12 * h), within(1e-7));
            }
        }
    }

    /** Through both passes; float32 leaves about four digits to a difference. */
    @EachDevice
    void gradientMatchesDifferencesOfTheValue(String name) {
        try (Device device = Devices.open(name)) {
            Random random = new Random(SEED);
            for (int round = 0; round < ROUNDS; round++) {
                for (Nonlinearity nonlinearity : Nonlinearity.values()) {
                    Shape shape = new Shape(2, 1, 2, 3, 2 + random.nextInt(4));
                    Batch batch = Batch.random(random, shape, 1.5, nonlinearity);
                    for (SegmentationLoss loss : RandomLosses.losses(random, batch.classes(), nonlinearity)) {
                        checkGradient(device, batch, loss);
                    }
                }
            }
        }
    }

    private static void checkGradient(Device device, Batch batch, SegmentationLoss loss) {
        float[] gradient = batch.gradient(device, loss);
        double largest = 0;
        for (float g : gradient) {
            largest = Math.max(largest, Math.abs(g));
        }
        for (int i = 0; i < gradient.length; i++) {
            float[] up = batch.logits().clone();
            float[] down = batch.logits().clone();
            up[i] += 0.03f;
            down[i] -= 0.03f;
            double rise = batch.withLogits(up).value(device, loss)
                    - batch.withLogits(down).value(device, loss);
            assertThat((double) gradient[i])
                    .as("seed %d: %s at logit %d of %s on %s", SEED, loss, i, batch.shape(), device.name())
                    .isCloseTo(rise / ((double) up[i] - down[i]), within(2e-3 * largest));
        }
    }

    /** Fills a table with numbers from 1 to 10, intersections with less than the volumes. */
    static Sums positive(Random random, Sums sums) {
        for (int sample = 0; sample < sums.samples(); sample++) {
            for (int segment = 0; segment < sums.segments(); segment++) {
                for (int clazz = 0; clazz < sums.classes(); clazz++) {
                    for (Kind kind : Kind.values()) {
                        double value = kind == Kind.INTERSECTION ? random.nextDouble() : 1 + 9 * random.nextDouble();
                        sums.add(sample, segment, clazz, kind, value);
                    }
                }
            }
        }
        return sums;
    }

    private static double shifted(
            RegionTerm term, Sums sums, double weight, int sample, int segment, int clazz, Kind kind, double h) {
        double before = sums.get(sample, segment, clazz, kind);
        sums.add(sample, segment, clazz, kind, h);
        double value = term.evaluate(sums, weight, new Sums(sums.samples(), sums.segments(), sums.classes()));
        sums.add(sample, segment, clazz, kind, before - sums.get(sample, segment, clazz, kind));
        return value;
    }
}
