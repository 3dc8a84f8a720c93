package dev.voxgrad.engine.metric;

import java.util.function.ToDoubleFunction;

/** The metrics of the probabilities of one label in one case, by the names that reports use. Smaller is better. */
public enum CalibrationMetric {
    /** Expected calibration error: claim = the voxel is foreground. */
    ECE("ece", c -> c.foreground().ece()),
    /** Maximum calibration error of that claim. */
    MCE("mce", c -> c.foreground().mce()),
    /** Expected calibration error: claim = the more likely of foreground and rest is right. */
    ECE_TOP("ece_top", c -> c.topLabel().ece()),
    /** Maximum calibration error of that claim. */
    MCE_TOP("mce_top", c -> c.topLabel().mce()),
    /** Mean squared error. */
    BRIER("brier", Calibration::brier),
    /** Mean negative logarithm of the probability of the truth. */
    NLL("nll", Calibration::nll);

    private final String id;
    private final ToDoubleFunction<Calibration> formula;

    CalibrationMetric(String id, ToDoubleFunction<Calibration> formula) {
        this.id = id;
        this.formula = formula;
    }

    /** The name in reports and options. */
    public String id() {
        return id;
    }

    double value(Calibration calibration) {
        return formula.applyAsDouble(calibration);
    }
}
