package dev.voxgrad.engine.tensor;

import java.lang.foreign.MemorySegment;
import java.util.IdentityHashMap;

/**
 * Owner of native memory: what is made in a scope is freed when it closes, at the latest. Made for try-with-resources; scopes
 * may be nested and hold any number of tensors. {@link #close} is idempotent. Used by the device's thread only.
 */
public final class Scope implements AutoCloseable {
    private final Device device;
    private final Runnable afterwards;
    private IdentityHashMap<Memory, Boolean> blocks = new IdentityHashMap<>();

    /**
     * Opened by the device.
     *
     * @param afterwards run once when everything is freed
     */
    Scope(Device device, Runnable afterwards) {
        this.device = device;
        this.afterwards = afterwards;
    }

    /** The device of this scope's tensors. */
    public Device device() {
        return device;
    }

    /** An uninitialised float tensor. */
    public Tensor tensor(Shape shape) {
        return new Tensor(allocate(shape.elements() * Float.BYTES), 0, shape, shape.c());
    }

    /** A float tensor of zeros. */
    public Tensor zeros(Shape shape) {
        Tensor t = tensor(shape);
        t.fill(0);
        return t;
    }

    /** A float tensor with these values in NDHWC order. */
    public Tensor tensor(Shape shape, float[] values) {
        Tensor t = tensor(shape);
        t.set(values);
        return t;
    }

    /** Uninitialised byte labels; channels is 1 for class labels, the number of channels for 0/1 targets. */
    public Labels labels(Shape shape) {
        return new Labels(allocate(shape.elements()), shape);
    }

    /** Byte labels with these values in NDHWC order. */
    public Labels labels(Shape shape, byte[] values) {
        Labels l = labels(shape);
        l.set(values);
        return l;
    }

    /** Frees one tensor before the scope closes; a no-op for a slice's siblings only if they are never used again. */
    public void free(Tensor tensor) {
        release(tensor.memory());
    }

    Memory allocate(long bytes) {
        if (blocks == null) {
            throw new IllegalStateException("this scope is closed; make the tensor in an open one");
        }
        try (Profiler.Span span = device.profiler().span(Profiler.MEMORY)) {
            Memory memory = new Memory(this, device.context().allocate(bytes));
            blocks.put(memory, Boolean.TRUE);
            return memory;
        }
    }

    private void release(Memory memory) {
        if (memory.scope == this && blocks != null && blocks.remove(memory) != null) {
            try (Profiler.Span span = device.profiler().span(Profiler.MEMORY)) {
                device.context().free(memory.take());
            }
        }
    }

    @Override
    public void close() {
        if (blocks != null) {
            try (Profiler.Span span = device.profiler().span(Profiler.MEMORY)) {
                for (Memory memory : blocks.keySet()) {
                    device.context().free(memory.take());
                }
                blocks = null;
                afterwards.run();
            }
        }
    }

    /** One native block; shared by a tensor and its channel slices. */
    static final class Memory {
        final Scope scope;
        private MemorySegment segment;

        Memory(Scope scope, MemorySegment segment) {
            this.scope = scope;
            this.segment = segment;
        }

        MemorySegment segment() {
            if (segment == null) {
                throw new IllegalStateException("this tensor is closed: its scope ended or it was freed");
            }
            return segment;
        }

        MemorySegment take() {
            MemorySegment s = segment;
            segment = null;
            return s;
        }
    }
}
