package dev.voxgrad.engine.train;

/** Hears how a training goes; every method may be left out. Called on the training thread. */
public interface TrainingListener {
    /** A training run starts, or continues, at an epoch. */
    default void started(int firstEpoch, int epochs, int iterationsPerEpoch) {}

    /** A training step is done; iteration counts from 0 within the epoch. */
    default void step(int epoch, int iteration, double loss) {}

    /** An epoch is done and logged. */
    default void epoch(EpochRecord record) {}

    /** The run is over, also when it failed. */
    default void finished() {}

    /** A listener that hears nothing. */
    static TrainingListener silent() {
        return new TrainingListener() {};
    }
}
