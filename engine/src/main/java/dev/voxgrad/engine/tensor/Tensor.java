package dev.voxgrad.engine.tensor;

import dev.voxgrad.bindings.ffi.VoxgradH;
import dev.voxgrad.bindings.ffi.vg_map;
import dev.voxgrad.engine.ShapeException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Float32 values on a device in NDHWC order with a voxel stride: a channel slice of a wider tensor is a tensor too, on the same
 * memory. The memory belongs to the {@link Scope} that made it; using a closed tensor throws {@link IllegalStateException}.
 * Two tensors are equal only if they are the same object.
 */
public final class Tensor {
    private final Scope.Memory memory;
    private final long offset; // elements from the start of the memory
    private final Shape shape;
    private final long stride; // elements from voxel to voxel

    Tensor(Scope.Memory memory, long offset, Shape shape, long stride) {
        this.memory = memory;
        this.offset = offset;
        this.shape = shape;
        this.stride = stride;
    }

    /** Its sizes. */
    public Shape shape() {
        return shape;
    }

    /** Elements from one voxel to the next; equal to the channels unless this is a slice. */
    public long stride() {
        return stride;
    }

    /** True when there are no gaps between voxels. */
    public boolean dense() {
        return stride == shape.c();
    }

    /** The scope that owns the memory. */
    public Scope scope() {
        return memory.scope;
    }

    /** The device that holds it. */
    public Device device() {
        return memory.scope.device();
    }

    /** An object that is the same for all tensors on the same memory: a tensor and its slices. */
    public Object identity() {
        return memory;
    }

    Scope.Memory memory() {
        return memory;
    }

    /** Address for a native call, at the first element. */
    public MemorySegment data() {
        return memory.segment().asSlice(offset * Float.BYTES);
    }

    /**
     * Channels {@code from} to {@code from + count - 1} as a tensor on the same memory.
     *
     * @throws ShapeException when they are not all there
     */
    public Tensor slice(long from, long count) {
        if (from < 0 || count < 1 || from + count > shape.c()) {
            throw new ShapeException("channels " + from + " to " + (from + count - 1) + " of a tensor " + shape);
        }
        return new Tensor(memory, offset + from, shape.withChannels(count), stride);
    }

    /**
     * Depth planes {@code from} to {@code from + count - 1} of a tensor with one sample, on the same memory.
     *
     * @throws ShapeException when they are not all there or there are more samples
     */
    public Tensor planes(long from, long count) {
        if (shape.n() != 1 || from < 0 || count < 1 || from + count > shape.d()) {
            throw new ShapeException("planes " + from + " to " + (from + count - 1) + " of a tensor " + shape);
        }
        return new Tensor(
                memory,
                offset + from * shape.h() * shape.w() * stride,
                shape.withGrid(count, shape.h(), shape.w()),
                stride);
    }

    /** Sets every element. */
    public void fill(float value) {
        try (Arena arena = Arena.ofConfined()) {
            device().announce(Work.of("fill", 0, this, this, Work.bytes(this)));
            device().context()
                    .check(VoxgradH.vg_fill(device().context().handle(), map(arena, this, this), value, data()));
        }
    }

    /** Copies values in NDHWC order from the host. */
    public void set(float[] values) {
        requireLength(values.length);
        set(MemorySegment.ofArray(values));
    }

    /** Copies dense float32 values from the host; a heap segment is staged in one native copy. */
    public void set(MemorySegment values) {
        requireDense();
        if (values.byteSize() != shape.elements() * Float.BYTES) {
            throw new ShapeException(values.byteSize() / Float.BYTES + " values for a tensor " + shape);
        }
        if (hostMemory()) {
            data().copyFrom(values);
            return;
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment source = values.isNative()
                    ? values
                    : arena.allocate(values.byteSize(), 64).copyFrom(values);
            device().announce(Work.of("copy_from_host", 0, this, this, Work.bytes(this)));
            device().context()
                    .check(VoxgradH.vg_copy_from_host(device().context().handle(), data(), source, values.byteSize()));
        }
    }

    /** Copies the values to the host in NDHWC order; works for slices too. */
    public float[] toArray() {
        if (!dense()) {
            try (Scope scope = device().scope()) {
                return copy(scope).toArray();
            }
        }
        float[] values = new float[Math.toIntExact(shape.elements())];
        if (hostMemory()) {
            MemorySegment.copy(data(), ValueLayout.JAVA_FLOAT, 0, values, 0, values.length);
            return values;
        }
        try (Arena arena = Arena.ofConfined()) {
            long bytes = (long) values.length * Float.BYTES;
            MemorySegment host = arena.allocate(bytes, 64);
            device().announce(Work.of("copy_to_host", 0, this, this, Work.bytes(this)));
            device().context().check(VoxgradH.vg_copy_to_host(device().context().handle(), host, data(), bytes));
            MemorySegment.copy(host, ValueLayout.JAVA_FLOAT, 0, values, 0, values.length);
            return values;
        }
    }

    /** The value of a tensor with one element. */
    public float item() {
        if (shape.elements() != 1) {
            throw new ShapeException("item() needs one element, this tensor is " + shape);
        }
        return toArray()[0];
    }

    /** A dense copy in a scope of the same device. */
    public Tensor copy(Scope scope) {
        Tensor t = scope.tensor(shape);
        t.setScaled(1, this);
        return t;
    }

    /** this = alpha * other, element by element; with alpha 1 an exact copy. */
    public void setScaled(float alpha, Tensor other) {
        requireSameShape(other);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment problem = map(arena, other, this);
            device().announce(Work.of("scale", shape.elements(), other, this, Work.bytes(other, this)));
            device().context()
                    .check(VoxgradH.vg_scale(device().context().handle(), problem, alpha, other.data(), data()));
        }
    }

    /** this = this + alpha * other, element by element. */
    public void addScaled(float alpha, Tensor other) {
        requireSameShape(other);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment problem = map(arena, other, this);
            // The sum is read and written.
            device().announce(Work.of("add", 2 * shape.elements(), other, this, Work.bytes(other, this, this)));
            device().context()
                    .check(VoxgradH.vg_add(device().context().handle(), problem, alpha, other.data(), data()));
        }
    }

    /** True when {@link #data} is memory that Java can read and write. */
    public boolean hostMemory() {
        return device().name().equals("cpu");
    }

    private void requireSameShape(Tensor other) {
        if (!other.shape.equals(shape)) {
            throw new ShapeException("shapes differ: " + shape + " and " + other.shape);
        }
    }

    private void requireDense() {
        if (!dense()) {
            throw new ShapeException(
                    "values can be set on a dense tensor only, this is a slice " + shape + " with stride " + stride);
        }
    }

    private void requireLength(long length) {
        if (length != shape.elements()) {
            throw new ShapeException(length + " values for a tensor " + shape);
        }
    }

    /** The struct {@code vg_map} of two tensors with equal shapes. */
    public static MemorySegment map(Arena arena, Tensor x, Tensor y) {
        MemorySegment p = vg_map.allocate(arena);
        vg_map.size(p, vg_map.sizeof());
        vg_map.n(p, x.shape.n());
        vg_map.voxels(p, x.shape.voxels());
        vg_map.c(p, x.shape.c());
        vg_map.x_stride(p, x.stride);
        vg_map.y_stride(p, y.stride);
        return p;
    }

    @Override
    public String toString() {
        return "Tensor" + shape + (dense() ? "" : " stride " + stride) + " on " + device().name();
    }
}
