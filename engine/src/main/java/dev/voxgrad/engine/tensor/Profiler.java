package dev.voxgrad.engine.tensor;

import dev.voxgrad.bindings.NativeContext;

/**
 * Hears what a device is asked to do. The code that does the work says where it is (phase, layer, activity) and what the next kernel does;
 * the calls themselves come from the native context. All of it happens on the device's thread. With {@link #OFF} every call is empty.
 */
public interface Profiler extends NativeContext.Watcher {
    /** The parts of a job. */
    enum Phase {
        /** Input of the network: files, preprocessing, patches, upload. */
        DATA,
        /** The network and the loss. */
        FORWARD,
        /** Their gradients. */
        BACKWARD,
        /** Clipping, optimizer, average of the weights. */
        UPDATE,
        /** What becomes of a prediction: sums of tiles, export, files. */
        OUTPUT
    }

    /** The activity of taking memory from the pool and giving it back. */
    String MEMORY = "memory";

    /** Hears nothing. */
    Profiler OFF = new Profiler() {
        private final Span nothing = () -> {};

        @Override
        public void phase(Phase phase, String layer) {}

        @Override
        public void layer(String layer) {}

        @Override
        public void next(Work work) {}

        @Override
        public Span span(String activity) {
            return nothing;
        }

        @Override
        public void begins() {}

        @Override
        public void ends() {}
    };

    /** Something on the host that takes time; ends with {@link #close}. */
    interface Span extends AutoCloseable {
        @Override
        void close();
    }

    /** What follows belongs to this phase and layer. */
    void phase(Phase phase, String layer);

    /** What follows belongs to this layer of the phase. */
    void layer(String layer);

    /** The next call of a kernel does this. */
    void next(Work work);

    /** What the host does from now on, kernels in between aside. */
    Span span(String activity);
}
