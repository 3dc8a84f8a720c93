package dev.voxgrad.engine.plan;

import java.util.Locale;

/** Which feature maps of a training step are not kept until the backward pass but computed again there. Results never depend on it. */
public enum Recompute {
    /** All are kept. */
    NONE,
    /** Those within the stages of the network: only a stage's input and result are kept. A step costs one more forward pass. */
    STAGES;

    /** As in a plan. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
