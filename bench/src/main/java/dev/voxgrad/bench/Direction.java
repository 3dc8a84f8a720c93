package dev.voxgrad.bench;

/** Which part of the work a row measures. */
public enum Direction {
    /** Input to output. */
    FORWARD("forward"),
    /** Upstream gradient to all gradients, after an untimed forward pass. */
    BACKWARD("backward"),
    /** Value and gradient of a loss. */
    VALUE_AND_GRADIENT("value + gradient"),
    /** A whole training step, or a step of an optimizer. */
    STEP("step");

    private final String text;

    Direction(String text) {
        this.text = text;
    }

    @Override
    public String toString() {
        return text;
    }
}
