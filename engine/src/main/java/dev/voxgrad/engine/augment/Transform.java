package dev.voxgrad.engine.augment;

/** A random change of a patch. It draws whether it takes part as well as its parameters from the stream that it is given. */
public interface Transform {
    /** Changes the arrays of the patch in place. */
    void apply(Patch patch, CounterRandom random);
}
