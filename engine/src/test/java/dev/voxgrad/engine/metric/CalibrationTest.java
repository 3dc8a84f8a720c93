package dev.voxgrad.engine.metric;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.voxgrad.engine.ConfigException;
import org.junit.jupiter.api.Test;

class CalibrationTest {
    @Test
    void binsAreOpenBelowAndClosedAbove() {
        Reliability curve = new Reliability(4);
        for (double confidence : new double[] {0, 0.25, Math.nextUp(0.25), 0.5, 0.75, 0.76, 1}) {
            curve.add(confidence, true);
        }
        assertThat(new long[] {curve.count(0), curve.count(1), curve.count(2), curve.count(3)})
                .containsExactly(2, 2, 1, 2);
        assertThat(curve.hits(1)).isEqualTo(2);
        assertThat(curve.confidenceSum(3)).isCloseTo(1.76, within(1e-15));
    }

    @Test
    void errorsAreThoseOfTheDefinition() {
        Reliability curve = new Reliability(10);
        curve.add(0.85, true);
        curve.add(0.85, false);
        curve.add(0.25, false);
        curve.add(0.25, false);
        assertThat(curve.gap(8)).isCloseTo(0.35, within(1e-15));
        assertThat(curve.gap(2)).isCloseTo(0.25, within(1e-15));
        assertThat(curve.gap(0)).isNaN();
        assertThat(curve.ece()).isCloseTo(0.3, within(1e-15));
        assertThat(curve.mce()).isCloseTo(0.35, within(1e-15));
    }

    @Test
    void nothingHasNoErrors() {
        Calibration none = new Calibration(15);
        assertThat(new double[] {
                    none.brier(),
                    none.nll(),
                    none.topLabel().ece(),
                    none.topLabel().mce()
                })
                .containsOnly(Double.NaN);
        assertThatThrownBy(() -> new Calibration(0))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("0 bins");
    }

    @Test
    void oneForegroundIsTwoClasses() {
        Calibration binary = new Calibration(15);
        Calibration classes = new Calibration(15);
        float[] probabilities = {0, 0.125f, 0.5f, 0.625f, 1};
        for (float p : probabilities) {
            for (int label = 0; label < 2; label++) {
                binary.add(p, label == 1);
                classes.add(new float[] {1 - p, p}, label);
            }
        }
        assertThat(classes.topLabel().ece()).isCloseTo(binary.topLabel().ece(), within(1e-12));
        assertThat(classes.nll()).isCloseTo(binary.nll(), within(1e-12));
        assertThat(classes.brier()).isCloseTo(2 * binary.brier(), within(1e-12));
        assertThat(classes.foreground().voxels()).isZero();
    }

    @Test
    void lowestClassWinsTies() {
        Calibration calibration = new Calibration(2);
        calibration.add(new float[] {0.25f, 0.375f, 0.375f}, 1);
        calibration.add(new float[] {0.25f, 0.375f, 0.375f}, 2);
        assertThat(calibration.topLabel().hits(0)).isEqualTo(1);
    }

    @Test
    void certaintyThatIsWrongCostsAFiniteAmount() {
        Calibration calibration = new Calibration(15);
        calibration.add(1, false);
        assertThat(calibration.nll()).isCloseTo(-Math.log(1e-12), within(1e-12));
        assertThat(calibration.brier()).isEqualTo(1);
    }

    @Test
    void piecesAddUp() {
        Calibration whole = new Calibration(15);
        Calibration first = new Calibration(15);
        Calibration second = new Calibration(15);
        for (int i = 0; i < 1000; i++) {
            double p = i / 1024.0;
            boolean y = i % 3 == 0;
            whole.add(p, y);
            (i < 400 ? first : second).add(p, y);
        }
        first.add(second);
        assertThat(first.voxels()).isEqualTo(1000);
        assertThat(first.foreground().ece()).isCloseTo(whole.foreground().ece(), within(1e-12));
        assertThat(first.topLabel().mce()).isCloseTo(whole.topLabel().mce(), within(1e-12));
        assertThat(first.nll()).isCloseTo(whole.nll(), within(1e-12));
        assertThat(first.brier()).isCloseTo(whole.brier(), within(1e-12));
    }
}
