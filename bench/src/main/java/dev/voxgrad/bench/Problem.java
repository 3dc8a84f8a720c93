package dev.voxgrad.bench;

import dev.voxgrad.engine.tensor.Precision;
import java.util.List;
import java.util.Optional;

/** What is measured, as data: one line of a file in {@code bench/problems}. Every side makes the same inputs from it. */
public sealed interface Problem
        permits ConvProblem, NetworkProblem, LossProblem, OptimizerProblem, PredictionProblem, VolumeProblem {
    /** The name that the command line's pattern selects by. */
    String name();

    /** What is measured of it, one row each. */
    List<Direction> directions();

    /** Floating point operations, convolutions counted as direct ones; 0 where the arithmetic does not matter. */
    default double flops(Direction direction) {
        return 0;
    }

    /** Bytes that have to move between memory and processor at least; 0 where that is not a meaningful bound. */
    default double bytes(Direction direction) {
        return 0;
    }

    /** Largest difference between two sides' answers, relative to the largest magnitude of each tensor. */
    double tolerance();

    /** What our convolutions may do to numbers. */
    default Precision precision() {
        return Precision.DEFAULT;
    }

    /**
     * A small part of work that takes minutes. The answers are compared and the fastest setting of each peer is found on it before the
     * whole is run; {@link #flops} of both say how much longer the whole takes.
     */
    default Optional<Problem> sample() {
        return Optional.empty();
    }
}
