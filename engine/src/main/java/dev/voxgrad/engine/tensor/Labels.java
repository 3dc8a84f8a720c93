package dev.voxgrad.engine.tensor;

import dev.voxgrad.bindings.ffi.VoxgradH;
import dev.voxgrad.engine.ShapeException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Unsigned bytes on a device, dense NDHWC: class labels with one channel, or 0/1 targets and masks with one channel each.
 */
public final class Labels {
    private final Scope.Memory memory;
    private final Shape shape;

    Labels(Scope.Memory memory, Shape shape) {
        this.memory = memory;
        this.shape = shape;
    }

    /** Its sizes. */
    public Shape shape() {
        return shape;
    }

    /** The device that holds it. */
    public Device device() {
        return memory.scope.device();
    }

    /** The scope that owns the memory. */
    public Scope scope() {
        return memory.scope;
    }

    /** Address for a native call. */
    public MemorySegment data() {
        return memory.segment();
    }

    /** True when {@link #data} is memory that Java can read and write. */
    public boolean hostMemory() {
        return device().name().equals("cpu");
    }

    /** Copies values in NDHWC order from the host. */
    public void set(byte[] values) {
        if (values.length != shape.elements()) {
            throw new ShapeException(values.length + " values for labels " + shape);
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment host = arena.allocate(values.length, 64).copyFrom(MemorySegment.ofArray(values));
            device().announce(Work.of("copy_from_host", 0, shape, shape, shape.elements()));
            device().context()
                    .check(VoxgradH.vg_copy_from_host(device().context().handle(), data(), host, values.length));
        }
    }

    /** Copies the values to the host in NDHWC order. */
    public byte[] toArray() {
        byte[] values = new byte[Math.toIntExact(shape.elements())];
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment host = arena.allocate(values.length, 64);
            device().announce(Work.of("copy_to_host", 0, shape, shape, shape.elements()));
            device().context()
                    .check(VoxgradH.vg_copy_to_host(device().context().handle(), host, data(), values.length));
            MemorySegment.copy(host, ValueLayout.JAVA_BYTE, 0, values, 0, values.length);
        }
        return values;
    }

    @Override
    public String toString() {
        return "Labels" + shape + " on " + device().name();
    }
}
