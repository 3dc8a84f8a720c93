package dev.voxgrad.engine.tensor;

import dev.voxgrad.bindings.NativeContext;
import dev.voxgrad.bindings.ffi.VoxgradH;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;

/**
 * A device with its memory pool. One thread at a time may use a device and everything made on it; open one device per
 * thread that computes. Closing it frees all its tensors.
 */
public final class Device implements AutoCloseable {
    private final NativeContext context;
    private final String name;
    private final long memoryLimitBytes;
    private final Precision precision;
    private Profiler profiler = Profiler.OFF;

    private Device(NativeContext context, String name, long memoryLimitBytes, Precision precision) {
        this.context = context;
        this.name = name;
        this.memoryLimitBytes = memoryLimitBytes;
        this.precision = precision;
    }

    /** The CPU with all processors that this process may use. */
    public static Device cpu() {
        return cpu(0);
    }

    /** The CPU with a number of threads (0 = all). The number never changes results. */
    public static Device cpu(int threads) {
        return open("cpu", threads, 0);
    }

    /**
     * A CPU with the threads and the precision of this device, on which ops check their arguments and ask for memory but read, write and
     * compute nothing: running a step there costs next to nothing and tells what memory it needs. All values read from it are 0.
     */
    public Device measuring() {
        return new Device(NativeContext.measuring(describe().threads()), "measuring", 0, precision);
    }

    /** Opens a device with the default precision; see {@link #open(String, int, long, Precision)}. */
    public static Device open(String name, int threads, long memoryLimitBytes) {
        return open(name, threads, memoryLimitBytes, Precision.DEFAULT);
    }

    /**
     * Opens a device by name: {@code cpu}, {@code cuda} or {@code cuda:1}.
     *
     * @param threads CPU threads, 0 = all
     * @param memoryLimitBytes limit of the memory pool, 0 = none
     * @param precision of the convolutions on this device
     * @throws dev.voxgrad.bindings.NativeException when this machine has no such device; there is no fallback
     */
    public static Device open(String name, int threads, long memoryLimitBytes, Precision precision) {
        if (name.equals("cpu")) {
            NativeContext context = NativeContext.open(VoxgradH.VG_DEVICE_CPU(), 0, threads, memoryLimitBytes);
            return new Device(context, name, memoryLimitBytes, precision);
        }
        if (name.matches("cuda(:\\d{1,3})?")) {
            int index = name.equals("cuda") ? 0 : Integer.parseInt(name.substring(5));
            NativeContext context = NativeContext.open(VoxgradH.VG_DEVICE_CUDA(), index, threads, memoryLimitBytes);
            return new Device(context, name, memoryLimitBytes, precision);
        }
        throw new IllegalArgumentException("unknown device \"" + name + "\"; use cpu, cuda or cuda:INDEX");
    }

    /** The name it was opened with. */
    public String name() {
        return name;
    }

    /** Bytes that its memory pool may hold; 0 = no limit. */
    public long memoryLimitBytes() {
        return memoryLimitBytes;
    }

    /** The precision of the convolutions on this device. */
    public Precision precision() {
        return precision;
    }

    /** The native context, for the classes that call native functions. */
    public NativeContext context() {
        return context;
    }

    /** Who measures the work on this device; {@link Profiler#OFF} at first. */
    public Profiler profiler() {
        return profiler;
    }

    /** Sets who measures the work from now on. */
    public void profile(Profiler next) {
        profiler = next;
        if (next == Profiler.OFF) {
            context.unwatch();
        } else {
            context.watch(next);
        }
    }

    /** Says what the next call of a kernel on this device does, for the profiler. */
    public void announce(Work work) {
        profiler.next(work);
    }

    /** Opens a scope whose tensors are freed together when it closes. */
    public Scope scope() {
        return new Scope(this, () -> {});
    }

    /**
     * Opens a scope around work that is repeated with tensors of the same sizes, such as a training step. The first one of a kind is
     * recorded; later ones get their memory from one block that was planned for it. Results never depend on it. Steps do not nest.
     *
     * @param kind steps of one kind are alike
     */
    public Scope step(long kind) {
        try (Profiler.Span span = profiler.span(Profiler.MEMORY)) {
            context.beginStep(kind);
        }
        return new Scope(this, context::endStep);
    }

    /** Pool sizes, device and tier names. */
    public NativeContext.Description describe() {
        return context.describe();
    }

    /**
     * Runs the blocks 0 to count - 1 of some work on the host, on at most as many threads as this device was opened with. Which thread
     * gets which block is open: a result must depend on its block alone.
     */
    public void forEachBlock(int count, IntConsumer work) {
        int workers = Math.max(1, Math.min(count, describe().threads()));
        AtomicInteger next = new AtomicInteger();
        IntStream.range(0, workers).parallel().forEach(worker -> {
            for (int block = next.getAndIncrement(); block < count; block = next.getAndIncrement()) {
                work.accept(block);
            }
        });
    }

    @Override
    public void close() {
        context.close();
    }
}
