package dev.voxgrad.engine.metric;

/** Which of two values of a metric speaks for the better segmentation. */
public enum Better {
    /** Such as Dice. */
    HIGHER,
    /** Such as distances and errors. */
    LOWER,
    /** A signed difference: 0 is best, and its mean does not tell how far the cases are from it. */
    NEITHER
}
